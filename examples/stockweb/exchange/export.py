"""Parts and their stock as CSV, in the columns that an import reads, a batch at a time."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet

from exchange.columns import ATTRIBUTE, OF_PART, OF_STOCK
from exchange.table import written
from exchange.world import FIELDS, Amount, type_path
from parts.models import AttributeValue, Part
from parts.requirement import Vocabulary, vocabulary
from stock.holdings import holdings

BATCH = 500
#: By which Excel knows that a file is UTF-8.
_BOM = "\ufeff"


def export(parts: QuerySet[Part]) -> Iterator[str]:
    """Yield the file's text: a row for each box that a part lies in, one for a part that lies in none, by id.

    Four queries, and three for each batch.
    """
    known = vocabulary()
    keys = _keys(known, set(parts.order_by().values_list("type_id", flat=True).distinct()))
    yield _BOM + written([*OF_PART, *(f"{ATTRIBUTE}{key}" for key in keys), *OF_STOCK[:2]])
    paths = {pk: type_path(known.types, pk) for pk in known.types.rows}
    last = 0
    while batch := list(parts.order_by("pk").filter(pk__gt=last).values("pk", "type_id", *FIELDS)[:BATCH]):
        yield "".join(_rows(batch, keys, paths))
        last = batch[-1]["pk"]


def _keys(known: Vocabulary, types: Iterable[int]) -> list[str]:
    return sorted({definition.key for each in types for definition in known.definitions(each)})


def _rows(batch: list[dict[str, Any]], keys: list[str], paths: dict[int, str]) -> Iterator[str]:
    ids = [row["pk"] for row in batch]
    values: dict[int, dict[str, str]] = {}
    of = AttributeValue.objects.filter(part_id__in=ids).order_by()
    for part, key, raw in of.values_list("part_id", "definition__key", "raw"):
        values.setdefault(part, {})[key] = raw
    held = holdings(ids)
    for row in batch:
        of_part = [f"{row['pk']}", paths[row["type_id"]], *(f"{row[name]}" for name in FIELDS)]
        of_part += [values.get(row["pk"], {}).get(key, "") for key in keys]
        filled = [(each.box, f"{Amount(each.qty, each.approx)}") for each in held.get(row["pk"], ()) if each.qty]
        yield from (written([*of_part, *stock]) for stock in filled or [("", "")])
