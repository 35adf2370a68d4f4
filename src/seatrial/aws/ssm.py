"""SSM parameter store: small named texts. Release records and the lock live there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.aws.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.aws.session import Aws


class Ssm:
    """The calls."""

    def __init__(self, aws: Aws) -> None:
        self._client = aws.client("ssm")

    def put(self, name: str, value: str, *, overwrite: bool) -> None:
        """Write a parameter of type String (at most 4 KB). Raises AlreadyExists unless ``overwrite``."""
        self._client.put_parameter(Name=name, Value=value, Type="String", Overwrite=overwrite)

    def get(self, name: str) -> str | None:
        """Return a parameter's value, None if there is none."""
        try:
            return str(self._client.get_parameter(Name=name)["Parameter"]["Value"])
        except NotFound:
            return None

    def get_many(self, names: Sequence[str]) -> dict[str, str]:
        """Return the values of those that exist; GetParameters takes ten names at a time."""
        found: dict[str, str] = {}
        for start in range(0, len(names), 10):
            answer = self._client.get_parameters(Names=list(names[start : start + 10]))
            found |= {each["Name"]: each["Value"] for each in answer.get("Parameters", ())}
        return found

    def delete(self, name: str) -> None:
        """Delete a parameter; one that is gone already is as good."""
        try:
            self._client.delete_parameter(Name=name)
        except NotFound:
            return
