"""The script that asks a Django project about its migrations. It runs in the project's own interpreter.

seatrial never calls it: it sends this file's text (:mod:`seatrial.project.migrations.ask`) to the project's Python,
here or in a one-off task, where Django 4.2 to 6.x may run on Python 3.8 or later. So it needs nothing but Django, and
it must stay small: the overrides of ECS RunTask hold 8192 characters.

One JSON object comes in, as the first argument: ``settings`` (module), ``root`` (directory of ``manage.py``), ``ask``
(whether to ask the database), ``list`` (whether to list operations), ``applied`` (a list of ``[app, name]``),
``leaves`` (the newest migration of each app in the release that serves; they stand in for what is applied where nobody
knows it), ``since`` (whether the operations since ``leaves`` are asked for, whatever is applied). One comes out,
compressed and in lines that a log takes whole. The database is only read.
"""

# mypy: disable-error-code="import-not-found"
# Django is the project's.
# ruff: noqa: SLF001, T201 - Django documents Model._meta; printing is how it answers

from __future__ import annotations

import base64
import json
import os
import sys
import zlib
from pathlib import Path
from typing import Any

MARK = "seatrial-migrations"
_LINE = 6000
_TABLES = """
SELECT c.relname, GREATEST(c.reltuples, 0)::bigint, pg_table_size(c.oid) FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND c.relnamespace <> 'pg_catalog'::regnamespace
"""


def main(asked: dict[str, Any]) -> None:
    """Print the answer."""
    sys.path.insert(0, str(Path.cwd() / asked.get("root", "")))
    os.environ["DJANGO_SETTINGS_MODULE"] = asked["settings"]
    import django

    django.setup()
    from django.db import connection

    answer = {"django": django.get_version(), "vendor": connection.vendor, "database": None, "problem": None}
    applied = None if asked.get("applied") is None else [tuple(each) for each in asked["applied"]]
    if asked.get("ask"):
        try:
            answer["database"] = _database(connection)
            if not asked.get("since"):
                applied = [tuple(each) for each in answer["database"]["applied"]]
        except Exception as error:  # noqa: BLE001 - whatever keeps the database from answering is the answer
            answer["problem"] = f"{type(error).__name__}: {error}".partition("\n")[0]
    if asked.get("list"):
        answer.update(_listed(connection, applied, asked.get("leaves")))
    if asked.get("since"):
        from django.db.migrations.loader import MigrationLoader

        answer["known"] = sorted(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    text = base64.b64encode(zlib.compress(json.dumps(answer).encode(), 9)).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    for number, line in enumerate(lines, 1):
        print(f"{MARK} {number}/{len(lines)} {line}", flush=True)


def _database(connection: Any) -> dict[str, Any]:
    from django.db.migrations.recorder import MigrationRecorder

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET default_transaction_read_only = on")
            cursor.execute("SET statement_timeout = '30s'")
        applied = sorted(MigrationRecorder(connection).applied_migrations())
        version, tables = 0, {}
        if connection.vendor == "postgresql":
            cursor.execute("SHOW server_version_num")
            version = int(cursor.fetchone()[0])
            cursor.execute(_TABLES)
            tables = {name: [rows, size] for name, rows, size in cursor.fetchall()}
    return {"version": version, "applied": applied, "tables": tables}


def _listed(connection: Any, applied: Any, leaves: Any) -> dict[str, Any]:
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder
    from django.db.migrations.state import ProjectState

    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    released = [leaf for leaf in (leaves or {}).items() if leaf in graph.nodes]
    known = [each for leaf in released for each in graph.forwards_plan(leaf)] if applied is None else applied
    MigrationRecorder.applied_migrations = lambda _: dict.fromkeys(known)
    executor = MigrationExecutor(connection)
    loader = executor.loader
    targets = loader.graph.leaf_nodes()
    pending = {migration for migration, _ in executor.migration_plan(targets)}
    state = ProjectState(real_apps=loader.unmigrated_apps)
    everything = [migration for migration, _ in executor.migration_plan(targets, clean_start=True)]
    for migration in everything:
        if migration not in pending:
            migration.mutate_state(state, preserve=False)
    serving = None if applied is None and leaves is None else _columns(state)
    if serving is not None and released:  # a release that was turned back has migrated all the same
        for table, columns in _columns(loader.project_state(released)).items():
            serving[table] = sorted({*serving.get(table, ()), *columns})
    listed = []
    for migration in everything:
        if migration in pending:
            operations = [_stepped(each, migration, state, connection) for each in migration.operations]
            listed.append(
                {
                    "app": migration.app_label,
                    "name": migration.name,
                    "atomic": migration.atomic,
                    "operations": operations,
                }
            )
    return {"leaves": dict(sorted(targets)), "serving": serving, "migrations": listed}


def _columns(state: Any) -> dict[str, list[str]]:
    """Return the columns of every table that the models of a state know."""
    found: dict[str, list[str]] = {}
    for model in state.apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped:
            columns = [field.column for field in model._meta.local_concrete_fields]
            found[model._meta.db_table] = found.get(model._meta.db_table, []) + columns
    return found


def _stepped(operation: Any, migration: Any, state: Any, connection: Any) -> dict[str, Any]:
    """Describe an operation, and put it into effect on ``state``."""
    before = state.clone()
    operation.state_forwards(migration.app_label, state)
    try:
        return _described(operation, migration, before, state, connection)
    except Exception:  # noqa: BLE001 - what cannot be described is what nobody can judge
        name, bases = type(operation).__name__, _kind(type(operation))[1]
        return {"kind": "", "class": name, "bases": bases, "reversible": bool(operation.reversible)}


def _described(operation: Any, migration: Any, before: Any, after: Any, connection: Any) -> dict[str, Any]:
    kind, bases = _kind(type(operation))
    said: dict[str, Any] = {
        "kind": kind,
        "class": type(operation).__name__,
        "bases": bases,
        "reversible": bool(operation.reversible),
    }
    if kind == "SeparateDatabaseAndState":
        said["state"] = _parts(operation.state_operations, migration, before.clone(), connection)
        said["database"] = _parts(operation.database_operations, migration, before.clone(), connection)
    elif kind == "RunPython":
        said["code"] = getattr(operation.code, "__qualname__", repr(operation.code))
        said["noop"] = operation.code is type(operation).noop
    elif kind == "RunSQL":
        sql = operation.sql if isinstance(operation.sql, (list, tuple)) else [operation.sql]
        said["sql"] = [each[0] if isinstance(each, (list, tuple)) else each for each in sql]
    else:
        said.update(_of_a_model(operation, kind, migration.app_label, (before, after), connection))
    return said


def _of_a_model(operation: Any, kind: str, label: str, states: Any, connection: Any) -> dict[str, Any]:
    """Describe an operation on a model, by the model, the field or whatever else it is about in both states."""
    before, after = states
    old_name: Any = getattr(operation, "old_name", None)
    name: Any = getattr(operation, "model_name", None) or getattr(operation, "name", "")
    names = (old_name, operation.new_name) if kind == "RenameModel" else (name, name)
    said: dict[str, Any] = {"old": _model(before, label, names[0]), "new": _model(after, label, names[1])}
    model = said["old"] or said["new"]
    said["model"] = model and model["name"]
    fields: dict[str, Any] = {"RenameField": (old_name, getattr(operation, "new_name", None))}
    if kind in ("AddField", "RemoveField", "AlterField", "RenameField"):
        was, becomes = fields.get(kind, (operation.name, operation.name))
        said["field"] = was
        said["before"] = _field(before, label, name, was, connection)
        said["after"] = _field(after, label, name, becomes, connection)
    elif kind in ("AlterUniqueTogether", "AlterIndexTogether"):
        said["before"], said["after"] = (_sets(state, label, name, operation.option_name) for state in states)
    elif kind == "AlterOrderWithRespectTo":
        orders = [_meta(state, label, name).order_with_respect_to for state in states]
        said["before"], said["after"] = map(bool, orders)
    elif kind == "CreateModel" and said["new"]:
        referring = [each for each in _meta(after, label, name).local_fields if each.remote_field]
        said["to"] = sorted({each.remote_field.model._meta.db_table for each in referring if each.db_constraint})
    said["part"] = _part(operation, kind, has_model=bool(model))
    return said


def _part(operation: Any, kind: str, *, has_model: bool) -> Any:
    """Return class and name of the index, constraint, extension or collation that an operation is about, or None."""
    part = getattr(operation, "index", None) or getattr(operation, "constraint", None)
    if part is not None:
        return {"kind": _kind(type(part))[0], "name": part.name}
    if kind == "RenameIndex":
        return {"kind": None, "name": operation.new_name}
    if "Index" in kind or "Constraint" in kind or not has_model:
        return {"kind": None, "name": str(getattr(operation, "name", ""))}
    return None


def _sets(state: Any, label: str, name: str, option: str) -> list[list[str]]:
    return [sorted(each) for each in getattr(_meta(state, label, name), option, None) or ()]


def _parts(operations: Any, migration: Any, state: Any, connection: Any) -> list[dict[str, Any]]:
    return [_stepped(each, migration, state, connection) for each in operations]


def _kind(of: type) -> tuple[str, list[str]]:
    """Return the name of Django's class that does the work, and those above it; "" for somebody's own work."""
    bases = [each.__name__ for each in of.__mro__ if each.__module__.startswith("django.")]
    for each in of.__mro__:
        if each.__module__.startswith("django."):
            return each.__name__, bases
        if "database_forwards" in vars(each) or "state_forwards" in vars(each):
            break
    return "", bases


def _meta(state: Any, label: str, name: str) -> Any:
    return state.apps.get_model(label, name)._meta


def _model(state: Any, label: str, name: str) -> Any:
    """Return a model of a state, None where there is none. ``real`` is False where it has no table of its own."""
    try:
        meta = _meta(state, label, name)
    except LookupError:
        return None
    from django.db import router

    real = meta.managed and not meta.proxy and not meta.swapped
    return {
        "name": meta.object_name,
        "table": meta.db_table,
        "real": bool(real and router.allow_migrate("default", label, model_name=meta.model_name)),
        "through": sorted(f.m2m_db_table() for f in meta.local_many_to_many if _automatic(f)),
    }


def _automatic(field: Any) -> bool:
    return bool(field.many_to_many and field.remote_field.through._meta.auto_created)


def _field(state: Any, label: str, model: str, name: str, connection: Any) -> Any:
    """Return a field of a state as the database sees it, None where there is none."""
    from django.core.exceptions import FieldDoesNotExist

    try:
        field = _meta(state, label, model).get_field(name)
    except (LookupError, FieldDoesNotExist):
        return None
    if field.many_to_many:
        return {"many": True, "table": field.m2m_db_table() if _automatic(field) else None}
    parameters = field.db_parameters(connection)
    remote = field.remote_field
    default = getattr(field, "db_default", None)
    has_db_default = default is not None and not isinstance(default, type)  # NOT_PROVIDED is a class
    on_delete = getattr(remote, "on_delete", None)
    cast = getattr(field, "db_type_suffix", None)
    return {
        "many": False,
        "column": field.column,
        "type": field.db_type(connection),
        "identity": bool(cast and cast(connection)),
        "check": parameters.get("check"),
        "collation": parameters.get("collation"),
        "null": field.null,
        "unique": field.unique,
        "primary_key": field.primary_key,
        "index": field.db_index,
        "default": field.has_default(),
        "db_default": _expression(default) if has_db_default else None,
        "generated": bool(getattr(field, "generated", False)),
        "stored": bool(getattr(field, "db_persist", False)),
        "comment": getattr(field, "db_comment", None),
        "to": remote.model._meta.db_table if remote and field.db_constraint else None,
        "on_delete": str(on_delete) if hasattr(on_delete, "on_delete_sql") else None,  # Django 6.1's DB_CASCADE
    }


def _expression(value: Any) -> str:
    """Return ``Value`` for a constant, else the class of the expression."""
    if not hasattr(value, "resolve_expression"):
        return "Value"
    function = getattr(value, "function", None)
    return type(value).__name__ + (f":{function}" if type(value).__name__ == "Func" else "")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
