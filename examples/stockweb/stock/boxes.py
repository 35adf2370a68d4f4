"""Moving boxes about: what stands in a box goes along. The database refuses a tree with a loop."""

from django.db import IntegrityError, transaction
from psycopg.errors import RestrictViolation

from stock.models import Box
from stockweb.store import on_mongodb, retried


class Loop(Exception):
    """A box cannot stand inside itself."""


@retried
@on_mongodb("stock.mongo.boxes")
def move_box(box: Box, parent: Box | None) -> None:
    """Put a box, with all that is in it, into another one or nowhere. Raises :class:`Loop`; then nothing is changed."""
    try:
        with transaction.atomic():
            Box.objects.filter(pk=box.pk).update(parent=parent)
    except IntegrityError as error:
        if not isinstance(error.__cause__, RestrictViolation):
            raise
        raise Loop(f"{box} cannot stand inside {parent}, which stands inside {box}") from None
    box.parent = parent
