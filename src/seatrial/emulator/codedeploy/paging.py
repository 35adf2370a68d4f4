"""``nextToken`` of the list actions, by the hundred. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIZE = 100


def page(key: str, items: Sequence[Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return one page of ``items`` under ``key``. Raises ``ApiError`` InvalidNextTokenException."""
    token = str(request.get("nextToken") or "0")
    if not token.isdigit():
        raise ApiError("InvalidNextTokenException", "The next token is invalid.")
    begin = int(token)
    answer: dict[str, Any] = {key: list(items[begin : begin + SIZE])}
    if begin + SIZE < len(items):
        answer["nextToken"] = str(begin + SIZE)
    return answer
