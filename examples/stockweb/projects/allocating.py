"""Sharing what there is among the lines of a bill of material. Pure.

A line gets one part, whole if it can: first lines that have no choice, so that a line that could take another part does
not take theirs away. Which parts make the most lines whole is a packing problem, so with choices this is a good
allocation and perhaps not the best; without any it is exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """So many for a board, of one of the parts, the best first."""

    line: int
    quantity: int
    parts: Sequence[int]


@dataclass(frozen=True)
class Share:
    """What a line gets: ``got`` of ``needed`` pieces of a part; no part where none would do."""

    part: int | None
    needed: int
    got: int

    @property
    def short(self) -> int:
        """How many are lacking."""
        return self.needed - self.got


@dataclass(frozen=True)
class Allocation:
    """The share of each line, and what nobody got of each part."""

    shares: Mapping[int, Share]
    left: Mapping[int, int]

    @property
    def whole(self) -> bool:
        """Whether every line has what it needs."""
        return not any(share.short for share in self.shares.values())


def allocate(needs: Sequence[Need], stock: Mapping[int, int], boards: int) -> Allocation:
    """Share the stock among the lines of so many boards."""
    left, shares = dict(stock), {}
    order = sorted(needs, key=lambda each: len(each.parts))  # stable: of equal ones the first line is first
    for need in order:
        wanted = need.quantity * boards
        part = next((each for each in need.parts if left.get(each, 0) >= wanted), None)
        if part is not None:
            left[part] -= wanted
            shares[need.line] = Share(part, wanted, wanted)
    for need in order:
        if need.line in shares:
            continue
        wanted = need.quantity * boards
        part = max(need.parts, key=lambda each: left.get(each, 0), default=None)
        got = left.get(part, 0) if part is not None else 0
        if part is not None:
            left[part] = 0
        shares[need.line] = Share(part, wanted, got)
    return Allocation(shares, left)


def buildable(needs: Sequence[Need], stock: Mapping[int, int]) -> int:
    """Return how many boards can be built at once; 0 where there is nothing to build."""
    if not needs:
        return 0
    enough = 0
    beyond = 1 + min(max((stock.get(part, 0) for part in need.parts), default=0) // need.quantity for need in needs)
    while beyond - enough > 1:
        middle = (enough + beyond) // 2
        if allocate(needs, stock, middle).whole:
            enough = middle
        else:
            beyond = middle
    return enough
