"""Runs in a project's own interpreter: what does each case's migration do to the version before, on a real PostgreSQL?

For every application on standard input: apply ``0001_before``, write rows, then apply ``0002_change`` in a transaction
that is held open for a moment. Meanwhile it is asked what PostgreSQL has locked, read and rewritten, and the old
version writes from another connection; afterwards both versions read, write, change and delete. One JSON object goes
to standard output.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

sys.path.insert(0, str(Path.cwd()))
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import django  # type: ignore[import-not-found]

django.setup()

from django.db import connections, transaction  # type: ignore[import-not-found]  # noqa: E402
from django.db.migrations.loader import MigrationLoader  # type: ignore[import-not-found]  # noqa: E402
from django.db.migrations.state import ProjectState  # type: ignore[import-not-found]  # noqa: E402
from django.db.models.functions import Collate  # type: ignore[import-not-found]  # noqa: E402

LOADER = MigrationLoader(None)
ROWS = 50
READ = "SELECT coalesce(sum(seq_tup_read), 0)::int FROM pg_stat_xact_all_tables WHERE relid = %s"
BLOCKS_WRITERS = {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}


class Version:
    """The queries of one version of the code: the ORM with the models of a state."""

    def __init__(self, label: str, state: Any, writes: list[str], reads: str) -> None:
        self.apps = state.apps
        self.label = label
        self.writes = writes
        self.reads = reads
        self.number = 0

    def part(self, **values: Any) -> Any:
        self.number += 1
        model = self.apps.get_model(self.label, "Part")
        names = {field.name for field in model._meta.get_fields()}
        usual = {"name": f"n{self.number}", "short": "s", "code": f"{id(self)}-{self.number}", "count": 1}
        wanted = {key: value for key, value in {**usual, **values}.items() if key in names}
        if "code" in wanted:
            wanted["code"] = wanted["code"][-20:]
        return model(**wanted)

    def seed(self, rows: int) -> None:
        box = self.apps.get_model(self.label, "Box").objects.create(code="b")
        parts = [self.part(box=box, maybe=1, text="t") for _ in range(rows)]
        self.apps.get_model(self.label, "Part").objects.bulk_create(parts)

    def everything(self) -> list[str]:
        """Do what a version does, undo it, and return what failed."""
        with transaction.atomic(using="other"):
            with connections["other"].cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as a commit would
            errors = list(self._errors())
            transaction.set_rollback(True, using="other")
        return errors

    def _errors(self) -> Iterator[str]:
        queries: list[tuple[str, Callable[[], object]]] = [
            ("insert", lambda: self.part().save(using="other")),
            ("select", self.select),
            ("update", self.update),
            ("delete", self.delete),
            ("join", lambda: list(self.model().objects.using("other").filter(box__code="b")[:2])),
            ("read", self.read),
            *((text, partial(self.write, text)) for text in self.writes),
        ]
        for name, query in queries:
            try:
                with transaction.atomic(using="other"):
                    query()
            except Exception as error:  # noqa: BLE001 - what fails is what is asked for
                yield f"{name}: {error}".partition("\n")[0]

    def write(self, values: str) -> None:
        self.part(**eval(values)).save(using="other")

    def model(self) -> Any:
        return self.apps.get_model(self.label, "Part")

    def select(self) -> None:
        list(self.model().objects.using("other").all()[:5])

    def update(self) -> None:
        part = self.model().objects.using("other").first()
        if part is not None:
            part.save()

    def delete(self) -> None:
        part = self.part()
        part.save(using="other")
        part.delete()

    def read(self) -> None:
        if self.reads:
            part = self.part()
            part.save(using="other")
            names = {"parts": self.model().objects.using("other"), "part": part, "Collate": Collate}
            list(eval(self.reads, names)[:2])


def tried(label: str, asked: dict[str, Any]) -> dict[str, Any]:
    connection = connections["default"]
    state = ProjectState()
    with connection.schema_editor() as editor:
        state = LOADER.get_migration(label, "0001_before").apply(state, editor)
    old = Version(label, state.clone(), asked["writes"], asked["reads"])
    old.seed(ROWS if asked["rows"] else 0)
    migration = LOADER.get_migration(label, "0002_change")
    table = f"{label}_part"
    said: dict[str, Any] = {"before": old.everything()}
    rows = old.model().objects.count()
    if migration.atomic:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT %s::regclass::oid, pg_relation_filenode(%s)", [table, table])
                oid, node = cursor.fetchone()
                cursor.execute(READ, [oid])  # it counts from the last time that the session told of it
                before = cursor.fetchone()[0]
                with connection.schema_editor() as editor:
                    state = migration.apply(state, editor)
                cursor.execute(READ, [oid])
                said["read"] = cursor.fetchone()[0] - before
                cursor.execute("SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = %s", [oid])
                modes = {mode for (mode,) in cursor.fetchall()}
                cursor.execute("SELECT pg_relation_filenode(%s)", [oid])
                said["rewritten"] = cursor.fetchone()[0] not in (node, None)
            said["rows"] = rows
            said["blocks"] = sorted(modes & BLOCKS_WRITERS)
            said["meanwhile"] = meanwhile(old)
    else:
        with connection.schema_editor(atomic=False) as editor:
            state = migration.apply(state, editor)
    said["after"] = old.everything()
    new = Version(label, state, [], "")
    said["new"] = new.everything() if asked["new"] else []
    return said


def meanwhile(old: Version) -> str | None:
    """Write as the old version, and return why that did not work within a moment."""
    with connections["other"].cursor() as cursor:
        cursor.execute("SET lock_timeout = '10ms'")
        try:
            old.part().save(using="other")
        except Exception as error:  # noqa: BLE001 - what fails is what is asked for
            return str(error).split("\n")[0]
        finally:
            cursor.execute("SET lock_timeout = 0")
    return None


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    json.dump({label: tried(label, asked) for label, asked in wanted.items()}, sys.stdout)
