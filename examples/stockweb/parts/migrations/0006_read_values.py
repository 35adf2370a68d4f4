"""What the attributes that are there are, and what their values say.

The version before may write meanwhile: what it writes is unread (see 0004) and read by the nightly task.
"""

from typing import Any

from django.db import migrations

from parts.quantity import QuantityError, number, span
from parts.reading import catch_up

#: Attributes whose rule their values do not tell, by key: the seeds' and everybody's.
HIGHER = {"voltage", "current", "power", "lifetime", "flash", "clock"}
LOWER = {"tolerance"}


def forwards(apps: Any, _editor: Any) -> None:
    definitions = apps.get_model("parts", "AttributeDefinition")
    values = apps.get_model("parts", "AttributeValue").objects
    for definition in definitions.objects.exclude(unit=""):
        raws = values.filter(definition=definition).values_list("raw", flat=True).distinct()[:1000]
        definition.kind = kind(list(raws), definition.unit)
        definition.match = match(definition.kind, definition.key)
        definition.save(update_fields=["kind", "match"])
    catch_up(values)


def kind(raws: list[str], unit: str) -> str:
    """Return what most values can be read as; a number is a range as well, so a number where as many are."""
    numbers = sum(reads(number, raw, unit) for raw in raws)
    spans = sum(reads(span, raw, unit) for raw in raws)
    if raws and not spans:
        return "text"
    return "quantity" if numbers >= spans else "range"


def match(of_kind: str, key: str) -> str:
    if of_kind != "quantity":
        return {"range": "covers", "text": "one of"}[of_kind]
    return "higher" if key in HIGHER else "lower" if key in LOWER else "exact"


def reads(how: Any, raw: str, unit: str) -> bool:
    try:
        how(raw, unit)
    except QuantityError:
        return False
    return True


class Migration(migrations.Migration):
    """See the module. In batches, each a transaction of its own; it may be stopped and done again."""

    atomic = False
    dependencies = [("parts", "0005_values_follow_their_part")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
