"""How long an answer of the origin is good for. Pure.

Rules: CloudFront developer guide, "Manage how long content stays in the cache (expiration)" and "How CloudFront
processes HTTP 4xx and 5xx status codes from your origin".
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.emulator.edge.model import Answer, CachePolicy, ErrorPage

#: Errors that are kept whatever their Cache-Control says, and those for which it must say so or a page be set.
ALWAYS_KEPT = frozenset({404, 414, 500, 501, 502, 503, 504})
KEPT_IF_SAID = frozenset({400, 403, 405, 412, 415})
#: Seconds for which errors are kept where no custom error response says otherwise.
ERROR_SECONDS = 10.0


def directives(cache_control: str | None) -> dict[str, str]:
    """Return the directives of a Cache-Control header, lower case → value ("" for those without)."""
    found = {}
    for part in (cache_control or "").split(","):
        name, _, value = part.strip().partition("=")
        if name:
            found[name.lower()] = value.strip('" ')
    return found


def lifetime(answer: Answer, policy: CachePolicy) -> float | None:
    """Return for how many seconds an answer may be given again without asking; None: it may not be kept at all."""
    said = directives(answer.header("Cache-Control"))
    if said.keys() & {"no-cache", "no-store", "private"} and policy.minimum > 0:
        return policy.minimum
    if said.keys() & {"no-store", "private"}:
        return None
    if "no-cache" in said:
        return 0.0
    asked = _asked(answer, said)
    if asked is None:
        return max(policy.minimum, policy.default)
    return min(max(policy.minimum, asked), policy.maximum)


def error_lifetime(answer: Answer, page: ErrorPage | None) -> float:
    """Return for how many seconds an error is answered without asking the origin again."""
    asked = _asked(answer, directives(answer.header("Cache-Control")))
    minimum = ERROR_SECONDS if page is None else page.minimum
    if answer.status in ALWAYS_KEPT or (answer.status in KEPT_IF_SAID and (page is not None or asked is not None)):
        return max(minimum, asked or 0.0)
    return 0.0


def _asked(answer: Answer, said: dict[str, str]) -> float | None:
    """Return the seconds that the origin asks for: s-maxage before max-age before Expires."""
    for name in ("s-maxage", "max-age"):
        if said.get(name, "").isdigit():
            return float(said[name])
    expires, date = answer.header("Expires"), answer.header("Date")
    if expires is None or date is None:
        return None
    try:
        return max(0.0, (parsedate_to_datetime(expires) - parsedate_to_datetime(date)).total_seconds())
    except ValueError:
        return 0.0  # "0" and the like: it has expired already
