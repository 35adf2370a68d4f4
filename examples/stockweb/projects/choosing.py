"""Saying which part a line means."""

from django.db import transaction

from parts.models import Part
from projects.models import BomLine, Remembered


def choose(line: BomLine, part: Part | None, *, remember: bool = False) -> None:
    """Choose a part for a line, or none; and for every line of that value and footprint that is to come."""
    with transaction.atomic():
        BomLine.objects.filter(pk=line.pk).update(chosen=part)
        line.chosen = part
        if not remember:
            return
        same = {"value": line.value, "footprint": line.footprint}
        if part is None:
            Remembered.objects.filter(**same).delete()
        else:
            Remembered.objects.update_or_create(**same, defaults={"part": part})
