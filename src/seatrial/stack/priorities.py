"""Priorities of listener rules: the most specific path first, and a route keeps its number when others come and go.

Changing a rule's priority in place is where load balancer updates fail (``PriorityInUse``: two rules cannot swap), so
a route's number must not be its position in a list. It comes from the route alone:

* The priorities 1,000 to 48,999 are cut into 32 bands of 1,500. The band is the length of the pattern's literal part
  (what stands before the first ``*`` or ``?``): the longer, the earlier. ``/ws/*`` is asked before ``/*``, always.
* Inside its band, a route stands where a hash of environment and pattern puts it, so environments that share a load
  balancer seldom meet: two with a ``/*`` each collide once in 1,400. (AWS then refuses the second stack with
  ``PriorityInUse``; nothing is routed wrongly.)
* Where two routes of one environment fall in one band, the more specific is first: a later one that would stand
  before it, or on it, is put right behind it.

Below 1,000 and from 49,000 to 50,000 (the largest priority there is: elbv2 ``CreateRule``) is room for a team's own.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from typing import TYPE_CHECKING

from seatrial.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FIRST = 1_000
BANDS = 32
BAND = 1_500

#: Rules of one load balancer by default quota; so many may stand behind each other at the end of a band.
MOST_RULES = 100


def priorities(environment: str, patterns: Iterable[str]) -> dict[str, int]:
    """Return the priority of each path pattern. ``environment`` is a name that is unique on the load balancer.

    Raises :class:`~seatrial.errors.UsageError` for a pattern that is given twice, and for more than 100 of them.
    """
    ordered = sorted(patterns, key=_specificity)
    for one, other in itertools.pairwise(ordered):
        if one == other:
            raise UsageError(f"the route {one} is given twice", hint="every path pattern may lead to one service only")
    if len(ordered) > MOST_RULES:
        raise UsageError(
            f"{len(ordered)} routes are more than the {MOST_RULES} rules that a load balancer has",
            hint="join patterns with * where they lead to the same service",
        )
    chosen: dict[str, int] = {}
    last = 0
    for pattern in ordered:
        chosen[pattern] = last = max(_home(environment, pattern), last + 1)
    return chosen


def one_rule_each(routes: Mapping[str, Sequence[str]], chosen: Mapping[str, int]) -> None:
    """Check that every service's patterns may stand in one rule at the place of the least specific of them.

    ``routes`` maps services to patterns, ``chosen`` is what :func:`priorities` returned. Raises
    :class:`~seatrial.errors.UsageError` where a pattern of another service would take requests that a more specific
    one is asked for first as long as each has a rule of its own.
    """
    place = {unit: max((chosen[pattern] for pattern in patterns), default=0) for unit, patterns in routes.items()}
    for unit, other in itertools.permutations(routes, 2):
        for own, theirs in itertools.product(routes[unit], routes[other]):
            if chosen[own] < chosen[theirs] and place[unit] > place[other] and _may_meet(own, theirs):
                raise UsageError(
                    f"services.{unit}.routes: {own} must be asked before {theirs} of {other}, and other patterns of "
                    f"{unit} after it; but where traffic is shifted a service has one listener rule",
                    hint=f"move {own} to a service of its own, or use the rolling strategy",
                )


def _may_meet(one: str, other: str) -> bool:
    """Whether some path may match both: the part before the wildcards of one begins that of the other."""
    literals = [re.split(r"[*?]", pattern, maxsplit=1)[0] for pattern in (one, other)]
    return literals[0].startswith(literals[1]) or literals[1].startswith(literals[0])


def _specificity(pattern: str) -> tuple[int, bool, int, str]:
    """Sort key: longest literal part, then without wildcards, then longest, then by the alphabet."""
    literal = _literal_length(pattern)
    return (-literal, literal != len(pattern), -len(pattern), pattern)


def _literal_length(pattern: str) -> int:
    return len(re.split(r"[*?]", pattern, maxsplit=1)[0])


def _home(environment: str, pattern: str) -> int:
    band = BANDS - 1 - min(_literal_length(pattern), BANDS - 1)
    digest = hashlib.sha256(f"{environment}\n{pattern}".encode()).digest()
    return FIRST + band * BAND + int.from_bytes(digest[:8], "big") % (BAND - MOST_RULES)
