"""Whether there is what a project needs, line by line. Seven queries, however many lines there are."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Sum

from parts.models import Part
from projects.allocating import Allocation, Need, Share, allocate, buildable
from projects.matching import Match, match
from projects.models import BomLine, Project
from stock.models import Lot

#: More are never asked for.
MOST_BOARDS = 1_000_000


class Status(enum.StrEnum):
    """What is to be said of a line."""

    HAVE = "have"
    SHORT = "short"
    #: Of the part that is named there are not enough; of one that suits there are.
    ALTERNATIVES = "alternatives"
    #: Nobody can tell what is needed.
    UNKNOWN = "unknown"
    #: What is needed is clear, and no such part is known.
    MISSING = "missing"
    NOT_PLACED = "not placed"


@dataclass(frozen=True)
class LineReport:
    """A line, its status, what it gets, and the parts that suit it, the best first."""

    line: BomLine
    status: Status
    share: Share | None = None
    by: str = ""
    candidates: Sequence[Part] = ()
    part: Part | None = None

    @property
    def short(self) -> int:
        """How many are lacking."""
        return self.share.short if self.share else 0


@dataclass(frozen=True)
class Report:
    """All lines for so many boards, how many boards could be built, and how many there are of each part."""

    project: Project
    boards: int
    lines: Sequence[LineReport]
    buildable: int
    stock: Mapping[int, int]

    @property
    def whole(self) -> bool:
        """Whether the boards can be built."""
        return all(each.status in (Status.HAVE, Status.NOT_PLACED) for each in self.lines) and self.buildable > 0


def report(project: Project, boards: int | None = None) -> Report:
    """Compare a project with the stock, for so many boards (as many as it says)."""
    boards = boards or project.boards
    lines = list(project.lines.all())
    matches = match(lines, boards)
    ids = {part for each in matches.values() for part in (*each.parts, *each.suiting)}
    held = dict(Lot.objects.filter(part__in=ids).values_list("part_id").annotate(Sum("qty")))
    parts = Part.objects.defer("search").in_bulk(ids)
    needs = [Need(line.pk, line.quantity, matches[line.pk].parts) for line in lines if not line.dnp]
    allocation = allocate(needs, held, boards)
    reports = [_line(line, matches.get(line.pk), allocation, parts) for line in lines]
    return Report(project, boards, reports, buildable(needs, held), held)


def _line(line: BomLine, found: Match | None, allocation: Allocation, parts: Mapping[int, Part]) -> LineReport:
    if found is None:
        return LineReport(line, Status.NOT_PLACED)
    share = allocation.shares[line.pk]
    candidates = [parts[each] for each in found.suiting if each in parts]
    part = parts.get(share.part) if share.part is not None else None
    return LineReport(line, _status(line, found, share, allocation.left), share, found.by, candidates, part)


def _status(line: BomLine, found: Match, share: Share, left: Mapping[int, int]) -> Status:
    if share.part is None:
        return Status.MISSING if line.wanted or line.mpn or line.sku else Status.UNKNOWN
    if not share.short:
        return Status.HAVE
    others = (each for each in found.suiting if each != share.part)
    return Status.ALTERNATIVES if any(left.get(each, 0) >= share.needed for each in others) else Status.SHORT
