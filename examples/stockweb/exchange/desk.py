"""What people do with an import: hand a file in, say what its columns are, look at the dry run, have it imported.

The work between is :mod:`exchange.checking`'s and :mod:`exchange.committing`'s, by Celery.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils import timezone

from exchange import columns, tasks
from exchange.models import ColumnChoice, Import, ImportLine
from exchange.table import read_table
from parts.models import AttributeDefinition
from stockweb.store import on_postgresql_alone

#: Of a file, in bytes, and of what stands in it: so much is imported in one transaction well within a task's time.
LARGEST = 16 * 2**20
MOST_ROWS = 20_000
MOST_COLUMNS = 200
#: Rows that people are shown when they say what the columns are.
SAMPLE = 3
#: Days after which a file is deleted with what was found in it, and after which nobody remembers it.
KEPT, REMEMBERED = timedelta(days=7), timedelta(days=90)
#: An import that works and has not moved for so long was lost with a broker's memory.
STALLED = timedelta(minutes=3)


class Refused(Exception):
    """It cannot be done as things are; the message is for whoever wanted it."""


class Wrong(Refused):
    """What was given makes no sense."""


@on_postgresql_alone("importing a file")
def hand_in(user: int, name: str, content: bytes) -> Import:
    """Take a file, with a proposal for its columns. Raises :class:`Wrong` and :class:`exchange.table.TableError`."""
    if len(content) > LARGEST:
        raise Wrong(f"a file has at most {LARGEST // 2**20} MiB")
    table = read_table(content)
    if len(table.rows) > MOST_ROWS or len(table.header) > MOST_COLUMNS:
        raise Wrong(f"a file has at most {MOST_ROWS} rows and {MOST_COLUMNS} columns: split it")
    remembered = ColumnChoice.objects.filter(user_id=user, signature=columns.signature(table.header)).first()
    attributes = dict(AttributeDefinition.objects.order_by("-position", "-pk").values_list("key", "label"))
    return Import.objects.create(
        user_id=user,
        name=name[:120],
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        encoding=table.encoding,
        delimiter=table.delimiter,
        header=table.header,
        sample=[row.cells for row in table.rows[:SAMPLE]],
        columns=remembered.columns if remembered else columns.proposed(table.header, attributes),
        constants=remembered.constants if remembered else {},
        rows=len(table.rows),
    )


def check(wanted: Import, chosen: Sequence[str], constants: Mapping[str, str]) -> Import:
    """Begin a dry run with these columns, and remember them for the next such file.

    Raises :class:`Wrong`, and :class:`Refused` when the file is imported already.
    """
    constants = {target: text.strip() for target, text in constants.items() if text.strip()}
    if wrong := columns.wrong(chosen, constants, wanted.header):
        raise Wrong("; ".join(wrong))
    with transaction.atomic():
        it = _locked(wanted)
        if it.state in (Import.State.COMMITTING, Import.State.DONE):
            raise Refused(f"the file {it.get_state_display()}")
        if it.content is None:
            raise Refused("the file was deleted: hand it in again")
        it.lines.all().delete()
        it.state, it.run, it.checked, it.error = Import.State.CHECKING, it.run + 1, 0, ""
        it.columns, it.constants, it.touched = list(chosen), constants, Now()
        it.save()
        ColumnChoice.objects.update_or_create(
            user_id=it.user_id,
            signature=columns.signature(it.header),
            defaults={"columns": it.columns, "constants": it.constants},
        )
        transaction.on_commit(lambda: tasks.check.delay(f"{it.pk}", it.run))
    it.refresh_from_db()
    return it


def commit(wanted: Import) -> Import:
    """Have what the dry run found imported, all or nothing. Asking twice is asking once. Raises :class:`Refused`."""
    with transaction.atomic():
        it = _locked(wanted)
        if it.state in (Import.State.COMMITTING, Import.State.DONE):
            return it
        if it.state != Import.State.CHECKED:
            raise Refused(f"the file {it.get_state_display()}: only what has been checked can be imported")
        if faults := it.lines.filter(verdict=ImportLine.Verdict.ERROR).count():
            raise Refused(f"{faults} rows have errors: nothing is imported until they are right")
        it.state, it.touched = Import.State.COMMITTING, Now()
        it.save(update_fields=["state", "touched"])
        transaction.on_commit(lambda: tasks.commit.delay(f"{it.pk}", it.run))
    it.refresh_from_db()
    return it


def verdicts(wanted: Import) -> dict[str, int]:
    """Return how many rows create, update, change nothing, and are wrong."""
    found = dict(wanted.lines.order_by().values_list("verdict").annotate(Count("pk")))
    return {each: found.get(each, 0) for each in ImportLine.Verdict.values}


def targets() -> list[tuple[str, str]]:
    """Return everything that a column can stand for, with what it is called."""
    fixed = [(target, target) for target in (*columns.OF_PART, *columns.OF_STOCK)]
    labels = dict(AttributeDefinition.objects.order_by("-position", "-pk").values_list("key", "label"))
    return fixed + [(f"{columns.ATTRIBUTE}{key}", label) for key, label in sorted(labels.items())]


def progress(pk: uuid.UUID, user: int) -> dict[str, Any] | None:
    """Return how far an import of somebody's is, None where they have none of this id. Two queries."""
    it = Import.objects.filter(pk=pk, user_id=user).defer("content").first()
    return None if it is None else told(it)


def told(it: Import) -> dict[str, Any]:
    """Return how far an import is, as programs are told. One query."""
    return {"state": it.state, "rows": it.rows, "checked": it.checked, "error": it.error, "verdicts": verdicts(it)}


def resume(now: datetime | None = None) -> int:
    """Queue again what stands still, and return how many imports do. What is queued twice is done once."""
    working = Q(state=Import.State.CHECKING) | Q(state=Import.State.COMMITTING)
    stalled = list(Import.objects.filter(working, touched__lt=(now or timezone.now()) - STALLED).defer("content"))
    for each in stalled:
        task = tasks.check if each.state == Import.State.CHECKING else tasks.commit
        task.delay(f"{each.pk}", each.run)
    return len(stalled)


def forget(now: datetime | None = None) -> int:
    """Delete the files of imports that nobody has touched for days, and return how many."""
    now = now or timezone.now()
    Import.objects.filter(touched__lt=now - REMEMBERED).delete()
    old = Import.objects.filter(touched__lt=now - KEPT, content__isnull=False)
    ImportLine.objects.filter(of__in=old).delete()
    return old.update(content=None)


def _locked(wanted: Import) -> Import:
    return Import.objects.select_for_update().defer("content").get(pk=wanted.pk)
