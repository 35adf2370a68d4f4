"""Writing what a dry run found: all of it in one transaction, or nothing.

What would change must still be as it was when people saw the dry run; where it is not, nothing is written, and the
import says on which line. Stock is the exception: a count is true whatever was there, and a purchase is added to it.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from exchange.columns import ATTRIBUTE
from exchange.models import Import, ImportLine
from exchange.planning import Verdict
from exchange.world import Known, Words, type_path, words, world
from parts.models import AttributeValue, Part
from parts.reading import COLUMNS, parse
from stock.bulk import Posting, post

BATCH = 2000

_UPDATE = """
UPDATE parts_part AS part
SET type_id = new.type, name = new.name, mpn = new.mpn, manufacturer = new.manufacturer, description = new.description,
    package = new.package, tags = new.tags, min_qty = new.min_qty, updated = now()
FROM jsonb_to_recordset(%s) AS new(id bigint, type bigint, name text, mpn text, manufacturer text, description text,
    package text, tags text, min_qty integer)
WHERE part.id = new.id
"""
#: Ids up to one that a file gives are passed over, by whoever else makes parts meanwhile, too.
_SKIP_IDS = """
SELECT nextval('parts_part_id_seq')
FROM generate_series(1, %s - (SELECT last_value FROM parts_part_id_seq))
"""


class Changed(Exception):
    """Something is no longer what the dry run saw; the message says on which line."""


def commit(pk: str, run: int) -> None:
    """Write an import. One that is written already, or that is no longer wanted, is left alone."""
    try:
        with transaction.atomic():
            waiting = Import.objects.select_for_update().filter(pk=pk, run=run, state=Import.State.COMMITTING)
            it = waiting.defer("content").first()
            if it is None:
                return
            _write(it)
            it.state, it.touched = Import.State.DONE, Now()
            it.save(update_fields=["state", "touched"])
    except Changed as error:
        give_up(pk, run, f"{error}. Check the file again")
    except IntegrityError:
        give_up(pk, run, "a part that is new in the file was made by somebody else. Check the file again")


def give_up(pk: str, run: int, reason: str) -> None:
    """Say that nothing was written, and why."""
    waiting = Import.objects.filter(pk=pk, run=run, state=Import.State.COMMITTING)
    waiting.update(state=Import.State.FAILED, error=f"Nothing was imported: {reason}.", touched=Now())


def _write(it: Import) -> None:
    """Write parts, then their values, then what became of the stock."""
    known_words, made = words(), {}
    for lines in _batches(it.lines.filter(verdict__in=(Verdict.CREATE, Verdict.UPDATE)).order_by("position")):
        _refuse_changed(lines, known_words)
        created = [line for line in lines if line.verdict == Verdict.CREATE]
        made |= {line.identity: part.pk for line, part in zip(created, _create(created), strict=True)}
        _update([line for line in lines if line.plan["part"] is not None and "fields" in line.plan])
        _values(lines, made, known_words)
        _stock(lines, made, it.user_id)


def _batches(lines: Any) -> Iterator[list[ImportLine]]:
    last = -1
    while batch := list(lines.filter(position__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].position


def _refuse_changed(lines: Iterable[ImportLine], known_words: Words) -> None:
    """Lock the parts that lines change, in the order of their ids, and compare them with what the dry run saw."""
    ids = {line.plan["part"] for line in lines if line.plan["part"] is not None}
    list(Part.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
    names = {_name(line) for line in lines if line.identity.startswith("name\x1f")}
    now = world(ids, (), names)
    for line in lines:
        part = line.plan["part"]
        if part is not None and part not in now.parts:
            raise Changed(f"the part of line {line.line} is gone")
        if part is None and line.identity.startswith("name\x1f") and _name(line) in now.by_name:
            raise Changed(f"the part of line {line.line} was made by somebody else")
        for note in line.notes if part is not None else ():
            column = note["column"]
            ours = "before" in note and not column.startswith("stock ")
            if ours and _present(now.parts[part], column, known_words) != note["before"]:
                raise Changed(f"somebody has changed what line {line.line} changes ({column})")


def _name(line: ImportLine) -> tuple[int, str]:
    _, of_type, name = line.identity.split("\x1f", 2)
    return int(of_type), name


def _present(part: Known, column: str, known_words: Words) -> str:
    if column == "type":
        return type_path(known_words.vocabulary.types, part.type)
    if column.startswith(ATTRIBUTE):
        definition = known_words.attributes(part.type).get(column.removeprefix(ATTRIBUTE))
        return part.values.get(definition.pk, "") if definition else ""
    return f"{part.fields[column]}"


def _create(lines: Sequence[ImportLine]) -> list[Part]:
    given = max((line.plan["id"] or 0 for line in lines), default=0)
    if given:
        with connection.cursor() as cursor:
            cursor.execute(_SKIP_IDS, [given])
    return Part.objects.bulk_create(
        Part(pk=line.plan["id"], type_id=line.plan["type"], **line.plan["fields"]) for line in lines
    )


def _update(lines: Iterable[ImportLine]) -> None:
    rows = [{"id": line.plan["part"], "type": line.plan["type"], **line.plan["fields"]} for line in lines]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_UPDATE, [json.dumps(rows)])


def _values(lines: Iterable[ImportLine], made: Mapping[str, int], known_words: Words) -> None:
    kept, gone = [], []
    for line in lines:
        part = _part(line, made)
        for definition, raw in line.plan.get("values", {}).items():
            value = AttributeValue(part_id=part, definition=known_words.definitions[int(definition)], raw=raw)
            (kept if raw else gone).append(value)
    for value in kept:
        parse(value)
    AttributeValue.objects.bulk_create(
        kept, update_conflicts=True, unique_fields=["part", "definition"], update_fields=["raw", *COLUMNS]
    )
    for value in gone:
        AttributeValue.objects.filter(part_id=value.part_id, definition=value.definition).delete()


def _stock(lines: Iterable[ImportLine], made: Mapping[str, int], user: int) -> None:
    postings = []
    for line in lines:
        if stock := line.plan.get("stock"):
            box, target, amount, roughly, key = stock
            postings.append(Posting(_part(line, made), box, amount, target == "quantity", roughly, uuid.UUID(key)))
    post(postings, user=user)


def _part(line: ImportLine, made: Mapping[str, int]) -> int:
    part = line.plan["part"]
    return part if part is not None else made[line.identity]
