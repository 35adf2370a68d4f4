"""Moving boxes about. The whole tree is locked meanwhile: two moves that are right alone may make a loop together."""

from django.db import transaction

from stock.boxes import Loop
from stock.models import Box
from stockweb.tree import tree


def move_box(box: Box, parent: Box | None) -> None:
    """Put a box into another one or nowhere; see :func:`stock.boxes.move_box`."""
    with transaction.atomic():
        boxes = tree(Box.objects.select_for_update().order_by("code"))
        if parent is not None and parent.pk in boxes.within(box.pk):
            raise Loop(f"{box} cannot stand inside {parent}, which stands inside {box}")
        Box.objects.filter(pk=box.pk).update(parent=parent)
    box.parent = parent
