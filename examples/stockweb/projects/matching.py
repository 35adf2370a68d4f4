"""Which parts are meant by the lines of a project. Five queries, however many lines there are.

In this order: the part that somebody chose, the maker's number, a shop's number, what was chosen before for the same
value and footprint, and else what suits the requirement or is better. A line without a readable requirement may have
a part number for a value, as integrated circuits have.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models.functions import Upper

from parts.models import Part
from parts.requirement import Vocabulary, vocabulary
from projects.models import BomLine, Remembered
from projects.wishes import Wish, requirement_of
from shops.models import Offer
from stock.shortlist import Wanted, shortlists

#: As many parts are looked at for a line.
CANDIDATES = 5


@dataclass(frozen=True)
class Match:
    """What a line means: ``by`` says how it was found. ``suiting`` are the parts that suit its requirement."""

    part: int | None
    by: str
    suiting: Sequence[int] = ()

    @property
    def parts(self) -> Sequence[int]:
        """The parts that would do without asking anybody."""
        return self.suiting if self.part is None else (self.part,)


def match(lines: Sequence[BomLine], boards: int) -> dict[int, Match]:
    """Return the match of each line that is placed, by its id."""
    placed = [line for line in lines if not line.dnp]
    named = _named(placed)
    known = vocabulary()
    wanted = [(line.pk, each) for line in placed if (each := _wanted(line, known, boards)) is not None]
    found = shortlists([each for _, each in wanted], CANDIDATES)
    suiting = {
        pk: tuple(candidate.part for candidate in candidates) for (pk, _), candidates in zip(wanted, found, strict=True)
    }
    return {line.pk: _match(line, named, suiting) for line in placed}


def _match(line: BomLine, named: Mapping[int, tuple[int, str]], suiting: Mapping[int, Sequence[int]]) -> Match:
    parts = suiting.get(line.pk, ())
    if line.pk in named:
        return Match(*named[line.pk], parts)
    return Match(None, "requirement" if line.pk in suiting else "", parts)


def _wanted(line: BomLine, known: Vocabulary, boards: int) -> Wanted | None:
    requirement = requirement_of(Wish(line.part_type_id, line.wanted, line.package), known)
    return None if requirement is None else Wanted(requirement, line.quantity * boards)


def _named(lines: Sequence[BomLine]) -> dict[int, tuple[int, str]]:
    """Return the part that is meant by name, and how that is known, by line."""
    by_mpn = _by_mpn({text for line in lines for text in (line.mpn, line.value) if text})
    by_sku = _by_sku({line.sku for line in lines if line.sku})
    before = Remembered.objects.filter(value__in={line.value for line in lines})
    remembered = {(each.value, each.footprint): each.part_id for each in before}
    found: dict[int, tuple[int, str]] = {}
    for line in lines:
        ways = (
            (line.chosen_id, "chosen"),
            (by_mpn.get(line.mpn), "number"),
            (by_sku.get(line.sku.upper()), "order number"),
            (remembered.get((line.value, line.footprint)), "remembered"),
            (None if line.wanted else by_mpn.get(line.value), "number"),
        )
        meant = next(((part, by) for part, by in ways if part is not None), None)
        if meant is not None:
            found[line.pk] = meant
    return found


def _by_mpn(numbers: Collection[str]) -> dict[str, int]:
    """Return parts by their numbers; where two makers have one, the part that was there first."""
    parts = Part.objects.filter(mpn__in=numbers).exclude(mpn="").order_by("-pk")
    return dict(parts.values_list("mpn", "pk"))


def _by_sku(numbers: Collection[str]) -> dict[str, int]:
    """Return parts by the numbers that shops give them, in capitals."""
    offers = Offer.objects.annotate(number=Upper("sku")).filter(number__in=[number.upper() for number in numbers])
    return dict(offers.order_by("-pk").values_list("number", "part_id"))
