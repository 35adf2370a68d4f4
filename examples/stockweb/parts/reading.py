"""From a value as it was typed to the numbers and words that searches compare.

Every value keeps what it was read from in ``parsed``. A trigger (migration 0004) empties what was read where that is no
longer what is written, so a version of this application that knows nothing of it can change values all the same.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import F, QuerySet

from parts.quantity import Quantity, QuantityError, number, span

COLUMNS = ("num_lo", "num_hi", "tol_pct", "text_value", "parsed")
_BATCH = 500
_WORDS = {"yes": "yes", "y": "yes", "true": "yes", "1": "yes", "no": "no", "n": "no", "false": "no", "0": "no"}


@dataclass(frozen=True)
class Typed:
    """What a value says: a number or a range in base units, or a word; nothing where it is unknown."""

    num_lo: float | None = None
    num_hi: float | None = None
    tol_pct: float | None = None
    text_value: str = ""


def read(definition: Any, raw: str) -> Typed:
    """Read a value by the kind, unit and choices of its definition. Raises :class:`QuantityError`."""
    if definition.kind == "quantity":
        return _numbers(number(raw, definition.unit))
    if definition.kind == "range":
        return _numbers(span(raw, definition.unit))
    return Typed(text_value=word(definition, raw))


def word(definition: Any, raw: str) -> str:
    """Return the word that stands for what was typed, however it is spelt. Raises :class:`QuantityError`."""
    folded = " ".join(raw.split()).casefold()
    if not folded.isprintable():
        raise QuantityError("a value is one line of text")
    if definition.kind == "boolean":
        if folded not in _WORDS:
            raise QuantityError(f"“{raw}” is neither yes nor no")
        return _WORDS[folded]
    if definition.kind == "choice":
        choices = {choice.casefold(): choice for choice in choices_of(definition)}
        if folded not in choices:
            raise QuantityError(f"“{raw}” is not one of: {', '.join(choices.values()) or 'no choices are defined'}")
        return choices[folded]
    return folded


def affirms(raw: str) -> bool:
    """Whether what was typed is a way to write *yes*."""
    return _WORDS.get(" ".join(raw.split()).casefold()) == "yes"


def choices_of(definition: Any) -> list[str]:
    """Return the choices of a definition, in its order."""
    return [" ".join(line.split()) for line in definition.choices.splitlines() if line.strip()]


def parse(value: Any) -> None:
    """Set what a value says from what is written; where that cannot be read, the value is unknown."""
    try:
        typed = read(value.definition, value.raw)
    except QuantityError:
        typed = Typed()
    for column, content in asdict(typed).items():
        setattr(value, column, content)
    value.parsed = value.raw


def catch_up(values: QuerySet) -> int:
    """Read those of the values that nobody has read as they are, in batches; return how many."""
    unread = values.exclude(parsed=F("raw")).select_related("definition").order_by("pk")
    last = count = 0
    while batch := list(unread.filter(pk__gt=last)[:_BATCH]):
        _write(batch)
        last, count = batch[-1].pk, count + len(batch)
    return count


def _write(values: Iterable[Any]) -> None:
    rows = list(values)
    for value in rows:
        parse(value)
    # Where somebody changes a value meanwhile, ``parsed`` is not what is written, and the trigger drops the rest.
    type(rows[0]).objects.bulk_update(rows, COLUMNS)


def _numbers(quantity: Quantity) -> Typed:
    return Typed(quantity.low, quantity.high, quantity.tolerance)
