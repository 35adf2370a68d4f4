"""Building boards: everything that they need is taken, or nothing."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef

from projects.models import Build, Project
from projects.report import LineReport, Report, Status, report
from stock import ledger
from stock.ledger import Pick
from stock.models import Lot, Movement
from stockweb.store import retried

#: Of a build: whether somebody gave it back.
UNDONE = Exists(Movement.objects.filter(move_id=OuterRef("key"), reversed_by__isnull=False))


class NotBuildable(Exception):
    """Something is lacking; nothing was taken. ``report`` says what."""

    def __init__(self, found: Report) -> None:
        lacking = [each for each in found.lines if each.status not in (Status.HAVE, Status.NOT_PLACED)]
        named = "; ".join(f"{each.line} ({each.status})" for each in lacking[:3]) or "there are no lines to build"
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        super().__init__(f"{found.project} cannot be built: {named}{more}")
        self.report = found


@dataclass(frozen=True)
class Built:
    """A build and what it took; ``replayed`` where the same key had built it before."""

    build: Build
    entries: Sequence[ledger.Entry]
    replayed: bool = False


@retried
def build(project: Project, boards: int, *, key: uuid.UUID, user: int | None = None) -> Built:
    """Take what so many boards need. Raises :class:`NotBuildable` and :class:`stock.ledger.KeyReused`.

    Of each part the smallest lots are taken first, so that boxes become empty; handfuls come last, since nobody knows
    what is in them. The same key builds once.
    """
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        before = Build.objects.filter(key=key).first()
        if before is not None:
            if (before.project_id, before.boards) != (project.pk, boards):
                raise ledger.KeyReused
            return Built(before, _entries(before), replayed=True)
        found = report(project, boards)
        if not found.whole:
            raise NotBuildable(found)
        picks = _picks(found.lines)
        if picks is None:  # somebody took of it since it was looked at
            raise NotBuildable(report(project, boards))
        made = Build.objects.create(project=project, boards=boards, key=key, user_id=user)
        return Built(made, ledger.take_together(picks, key, user=user))


def undo(made: Build, *, user: int | None = None) -> tuple[ledger.Entry, ...]:
    """Give back what a build took, each part to its box. A second time changes nothing."""
    return ledger.undo(Movement.objects.filter(move_id=made.key).earliest("pk").pk, user=user)


def _picks(lines: Iterable[LineReport]) -> list[Pick] | None:
    """Choose the boxes, from lots that are locked; None where there is too little in them."""
    wanted: dict[int, int] = defaultdict(int)
    for each in lines:
        if each.share is not None and each.share.part is not None:
            wanted[each.share.part] += each.share.got
    # Locked in the order of their ids, as the ledger does.
    lots = list(Lot.objects.filter(part__in=wanted, qty__gt=0).order_by("pk").select_for_update())
    picks = []
    for lot in sorted(lots, key=lambda each: (each.approx, each.qty, each.pk)):
        taken = min(lot.qty, wanted[lot.part_id])
        if taken:
            picks.append(Pick(lot.part_id, lot.box_id, taken))
            wanted[lot.part_id] -= taken
    return None if any(wanted.values()) else picks


def _entries(made: Build) -> list[ledger.Entry]:
    taken = Movement.objects.filter(move_id=made.key).order_by("pk")
    return [ledger.Entry(each.pk, each.lot_id, each.delta, each.balance, replayed=True) for each in taken]
