"""What the tables of ``seatrial.toml`` are made of: the strict model they derive from, names, commands, durations.

Durations are written as ``"30s"``, ``"5m"`` or a number of seconds and are held as whole seconds.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

NAME_PATTERN = r"^[a-z][a-z0-9-]*$"
ENV_NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
#: A web origin (RFC 6454): a page's scheme, host and port, without a path.
ORIGIN_PATTERN = r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$"
_DURATION = re.compile(r"^(\d+)\s*(s|m|h)?$")


def _seconds(value: object) -> object:
    if isinstance(value, str):
        match = _DURATION.match(value.strip())
        if not match:
            raise ValueError('expected a duration such as "30s", "5m" or a number of seconds')
        return int(match[1]) * {"s": 1, "m": 60, "h": 3600, None: 1}[match[2]]
    return value


SECONDS = BeforeValidator(_seconds, json_schema_input_type=int | str)
Duration = Annotated[int, SECONDS, Field(ge=0)]
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=32)]
EnvName = Annotated[str, Field(pattern=ENV_NAME_PATTERN)]
Origin = Annotated[str, Field(pattern=ORIGIN_PATTERN, description="scheme and host, such as https://shop.example")]
Command = Annotated[tuple[str, ...], Field(min_length=1)]


class Model(BaseModel):
    """Frozen, and strict about keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Misplaced(ValueError):
    """What is wrong is at ``location``, below the table whose validator found it out."""

    def __init__(self, location: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.location = location
