"""The best parts for many requirements, weighed in Python."""

from collections.abc import Sequence

from stock.mongo.suiting import Weighed, world
from stock.shortlist import Candidate, Wanted


def shortlists(wanted: Sequence[Wanted], size: int) -> list[list[Candidate]]:
    """Return the best parts for each of the wanted; see :func:`stock.shortlist.shortlists`."""
    known = world(each.requirement for each in wanted)
    return [
        [
            Candidate(found.part.pk, found.stock)
            for found in sorted(
                (found for found in known.weighed(each.requirement) if found.suits),
                key=lambda found: _order(found, each.quantity),
            )[:size]
        ]
        for each in wanted
    ]


def _order(each: Weighed, enough: int) -> tuple[bool, bool, float, int, int]:
    return each.stock < enough, each.stock <= 0, each.looseness, -each.stock, each.part.pk
