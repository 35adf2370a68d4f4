"""Movements as events for browsers, in the order of their positions. They block."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from stock.models import Event

#: As many are read at once, however far behind somebody is.
BATCH = 500


@dataclass(frozen=True)
class Told:
    """An event as it is sent: its position, and the JSON text that has it as ``position``."""

    position: int
    text: str


def newest() -> int:
    """Return the position of the newest event, 0 where there is none."""
    return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def after(position: int) -> Sequence[Told]:
    """Return the events after a position, the first :data:`BATCH` of them. One query."""
    found = Event.objects.filter(pk__gt=position).select_related("movement__lot__part", "movement__lot__box")
    return [_told(event) for event in found.order_by("pk")[:BATCH]]


def _told(event: Event) -> Told:
    movement = event.movement
    body = {
        "position": event.pk,
        "movement": movement.pk,
        "part": {"id": movement.lot.part_id, "name": movement.lot.part.name},
        "box": movement.lot.box.code,
        "deed": movement.deed,
        "change": movement.signed,
        "balance": movement.balance,
        "at": movement.at.isoformat(),
    }
    return Told(event.pk, json.dumps(body, ensure_ascii=False))
