"""The dry run: looks at the rows of a file a thousand at a time, and writes down what each would do. Changes no part.

Every thousand is a transaction that holds the import's row, so a task that is delivered twice waits for the other and
goes on behind it, and one that was lost goes on where it was.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from django.db import transaction
from django.db.models.functions import Now

from exchange import planning
from exchange.models import Import, ImportLine
from exchange.planning import Cells, Plan, Verdict
from exchange.table import Row, Table, read_table
from exchange.world import Words, World, words, world

BATCH = 1000
#: Seconds after which a task leaves the rest to another: a good part of what a stopping worker is given.
ENOUGH = 10.0

T = TypeVar("T")


def check(pk: str, run: int, clock: Callable[[], float] = time.monotonic) -> bool:
    """Look at rows until all are seen or there was time enough; return whether all are."""
    begun = clock()
    content = (
        Import.objects.filter(pk=pk, run=run, state=Import.State.CHECKING).values_list("content", flat=True).first()
    )
    if content is None:
        return True
    table = read_table(bytes(content))
    while clock() - begun < ENOUGH:
        if not _batch(pk, run, table):
            return True
    return False


def _batch(pk: str, run: int, table: Table) -> bool:
    """Look at the next rows; return whether there may be more."""
    with transaction.atomic():
        waiting = Import.objects.select_for_update().filter(pk=pk, run=run, state=Import.State.CHECKING)
        it = waiting.defer("content").first()
        if it is None:
            return False
        rows = table.rows[it.checked : it.checked + BATCH]
        lines = _lines(it, rows, len(table.header))
        ImportLine.objects.bulk_create(lines)
        it.checked, it.touched = it.checked + len(rows), Now()
        if it.checked == len(table.rows):
            it.state = Import.State.CHECKED
        it.save(update_fields=["checked", "touched", "state"])
        return it.state == Import.State.CHECKING


def _lines(it: Import, rows: Sequence[Row], width: int) -> list[ImportLine]:
    known_words = words()
    read = [planning.cells(row, it.columns, it.constants, it.sha256) for row in rows]
    known = _known(it, read, known_words)
    plans = [
        planning.plan(each, (_width(row, width), width), known_words, known)
        for row, each in zip(rows, read, strict=True)
    ]
    _together(it, plans)
    return [
        ImportLine(
            of=it,
            position=position,
            line=each.line,
            verdict=each.verdict,
            identity=each.identity,
            number=each.number,
            box=each.box,
            digest=each.digest,
            notes=each.notes,
            plan=each.write if each.verdict in (Verdict.CREATE, Verdict.UPDATE) else None,
        )
        for position, each in enumerate(plans, start=it.checked)
    ]


def _known(it: Import, rows: Sequence[Cells], known_words: Words) -> World:
    meant = [planning.address(row, known_words) for row in rows]
    keys = [row.key(each) for row in rows for each in ("quantity", "bought")]
    return world(
        ids=_some(each.id for each in meant),
        numbers=_some(each.number for each in meant),
        names=_some(each.name for each in meant),
        keys=keys if {"quantity", "bought"} & set(it.columns) else (),
    )


def _some(given: Iterable[T | None]) -> set[T]:
    return {each for each in given if each is not None}


def _width(row: Row, width: int) -> int:
    """Return how many cells a row has, but for empty ones that a spreadsheet adds behind."""
    return width if len(row.cells) > width and not any(row.cells[width:]) else len(row.cells)


def _together(it: Import, plans: Sequence[Plan]) -> None:
    """Compare each row with those before it that are about the same part, or claim its number or its box."""
    first, boxes, numbers = _before(it, plans)
    for each in plans:
        if not each.identity:
            continue
        if each.number:
            line, identity = numbers.setdefault(each.number, (each.line, each.identity))
            if identity != each.identity:
                each.fault("mpn", f"line {line} has this part number too")
        line, digest = first.setdefault(each.identity, (each.line, each.digest))
        if digest != each.digest:
            each.fault("", f"line {line} is about the same part, and says something else of it")
        elif line != each.line:
            _only_stock(each)
        if each.box is not None:
            line = boxes.setdefault((each.identity, each.box), each.line)
            if line != each.line:
                each.fault("box", f"line {line} has this part in this box too")


def _before(it: Import, plans: Sequence[Plan]) -> tuple[dict, dict, dict]:
    """Return, from earlier batches, what is said by identity, by identity and box, and by part number."""
    lines = it.lines.order_by("-position")  # so that the first of several is what a dictionary keeps
    of = lines.filter(identity__in=_some(each.identity or None for each in plans))
    claims = lines.filter(number__in=_some(each.number or None for each in plans))
    first = {identity: (line, digest) for identity, line, digest in of.values_list("identity", "line", "digest")}
    boxes = {(identity, box): line for identity, box, line in of.values_list("identity", "box", "line")}
    numbers = {number: (line, identity) for number, line, identity in claims.values_list("number", "line", "identity")}
    return first, boxes, numbers


def _only_stock(each: Plan) -> None:
    """Leave the part itself to the row that comes first."""
    if each.verdict == Verdict.ERROR:
        return
    each.notes = [note for note in each.notes if note["column"].startswith("stock ") or "told" in note]
    each.write = {name: value for name, value in each.write.items() if name in ("part", "stock")}
    each.verdict = Verdict.UPDATE if "stock" in each.write else Verdict.SAME
