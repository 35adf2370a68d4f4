"""What a project lacks, as a shopping list."""

from collections import defaultdict

from projects.report import Report
from shops.models import Offer


def lacking(found: Report) -> dict[int, int]:
    """Return how many of each part are to be bought. Of parts that suit, one that somebody sells comes first."""
    short = [each for each in found.lines if each.short]
    candidates = {part.pk for each in short for part in each.candidates}
    sold = set(Offer.objects.filter(part__in=candidates).values_list("part_id", flat=True))
    needs: dict[int, int] = defaultdict(int)
    for each in short:
        if each.part is None or each.share is None:
            continue
        part = each.part.pk
        if each.by == "requirement" and part not in sold:
            other = next((it.pk for it in each.candidates if it.pk in sold), None)
            if other is not None:  # a line gets one part, so all of it is bought
                needs[other] += each.share.needed
                continue
        needs[part] += each.short
    return dict(needs)
