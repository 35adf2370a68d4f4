"""``maxResults`` and ``nextToken`` of the list actions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def page(key: str, items: Sequence[Any], request: Mapping[str, Any], *, default: int) -> dict[str, Any]:
    """Return one page of ``items`` under ``key``. Raises ``ApiError`` InvalidParameterException."""
    size = int(request.get("maxResults") or default)
    if not 1 <= size <= 100:
        raise ApiError("InvalidParameterException", "MaxResults must be between 1 and 100.")
    token = str(request.get("nextToken") or "0")
    if not token.isdigit():
        raise ApiError("InvalidParameterException", "Invalid token")
    begin = int(token)
    answer: dict[str, Any] = {key: list(items[begin : begin + size])}
    if begin + size < len(items):
        answer["nextToken"] = str(begin + size)
    return answer
