"""Parts of which there are fewer than there should be, and telling it once for each dip."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce

from parts.models import Part
from stock.models import LowStockAlert
from stockweb.store import on_mongodb, retried

_NEW_ALERTS = """
INSERT INTO stock_lowstockalert (part_id, at) SELECT unnest(%s::bigint[]), now()
ON CONFLICT (part_id) DO NOTHING RETURNING part_id
"""


def low_parts() -> QuerySet[Part]:
    """Return the parts below their minimum, each with its ``total``, the emptiest first."""
    return (
        Part.objects.filter(min_qty__gt=0)
        .annotate(total=Coalesce(Sum("lots__qty"), 0))
        .filter(total__lt=F("min_qty"))
        .order_by(F("total") * 1.0 / F("min_qty"), "name", "pk")
    )


@retried
def send_digest() -> list[Part]:
    """Mail the parts that have become low since they were last enough, and return them.

    Safe to run twice at once: only one of the two records a dip. When the mail fails nothing is recorded, so the next
    run tells it again.
    """
    with transaction.atomic():
        low = list(low_parts())
        LowStockAlert.objects.exclude(part__in=[part.pk for part in low]).delete()
        new = told_now([part.pk for part in low])
        dipped = [part for part in low if part.pk in new]
        if dipped and settings.LOW_STOCK_RECIPIENTS:
            send_mail(_subject(dipped), _text(dipped), None, settings.LOW_STOCK_RECIPIENTS)
    return dipped


@on_mongodb("stock.mongo.low_stock")
def told_now(parts: Sequence[int]) -> set[int]:
    """Note the dips that were not told before, in a transaction of the caller's, and return the parts."""
    with connection.cursor() as cursor:
        cursor.execute(_NEW_ALERTS, [list(parts)])
        return {part for (part,) in cursor.fetchall()}


def _subject(parts: Sequence[Part]) -> str:
    return f"Low stock: {parts[0].name}" + (f" and {len(parts) - 1} more" if len(parts) > 1 else "")


def _text(parts: Sequence[Part]) -> str:
    lines = [f"{part.total} of at least {part.min_qty}  {part.name}  {part.mpn}".rstrip() for part in parts]
    return "\n".join(["These parts have fallen below their minimum stock:", "", *lines, ""])
