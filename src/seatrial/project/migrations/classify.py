"""One operation in, the rules it falls under out. Pure: no project, no database, no clock.

What counts is what the *serving* version knows: its tables and columns, by the state of Django's migrations that the
database is at. What it does not know it cannot miss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.project.migrations import fields, sql
from seatrial.project.migrations.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from seatrial.project.migrations.operations import Operation
    from seatrial.project.migrations.rules import Rule

    #: Columns by table of the serving version; None where nobody knows.
    Known = Mapping[str, Collection[str]] | None


@dataclass(frozen=True)
class Judgement:
    """A rule that an operation falls under, and the table whose size decides how long the lock lasts."""

    rule: Rule
    table: str | None


def classify(operation: Operation, known: Known = None) -> tuple[Judgement, ...]:
    """Return what ``operation`` means for the version that serves, which knows the tables and columns of ``known``.

    At least one judgement, and each only once.
    """
    found = dict.fromkeys(_judged(operation, known))
    if len(found) > 1:
        found.pop(("no-change", operation.table), None)
    return tuple(Judgement(RULES[rule], table) for rule, table in found)


def _judged(operation: Operation, known: Known) -> Iterator[tuple[str, str | None]]:
    """Yield rule and table."""
    if operation.kind == "SeparateDatabaseAndState":
        yield from _separate(operation, known)
        return
    if operation.kind == "RunSQL":
        yield from sql.judged(operation.sql, known)
        if not operation.reversible and any(text.strip() for text in operation.sql):
            yield "no-way-back", None
        return
    handler = next((_HANDLERS[each] for each in (operation.kind, *operation.bases) if each in _HANDLERS), None)
    if handler is None or not operation.kind:
        yield "own-operation", operation.table
    elif _without_table(operation):
        yield "no-change", operation.table
    elif _unknown_table(operation, known) and operation.kind not in ("CreateModel", "DeleteModel"):
        yield "new-table", operation.table
    else:
        for rule in handler(operation, known):
            yield rule, operation.table
    if not operation.reversible and not operation.noop:
        yield "no-way-back", None


def _separate(operation: Operation, known: Known) -> Iterator[tuple[str, str | None]]:
    for part in operation.parts:
        yield from _judged(part, known)
    if operation.parts:
        return
    for part in operation.states:
        removed = part.kind == "RemoveField" and part.before is not None and fields.left_behind(part.before)
        yield "state-only-removal" if removed and not _without_table(part) else "no-change", part.table
    if not operation.states:
        yield "no-change", None


def _without_table(operation: Operation) -> bool:
    """Whether no model of the operation has a table that migrations make: proxy, unmanaged, swapped, another router."""
    models = [each for each in (operation.old, operation.new) if each is not None]
    return bool(models) and not any(each.real for each in models)


def _unknown_table(operation: Operation, known: Known) -> bool:
    return known is not None and operation.table is not None and operation.table not in known


def _create_model(operation: Operation, known: Known) -> Iterator[str]:
    own = operation.table
    referred = [each for each in operation.to if each != own and (known is None or each in known)]
    yield "new-table-references" if referred else "new-table"


def _delete_model(operation: Operation, known: Known) -> Iterator[str]:
    if _unknown_table(operation, known):
        yield "remove-unknown-table"
    else:
        yield "remove-table"
        yield "lost-data"


def _rename_table(operation: Operation, _known: Known) -> Iterator[str]:
    old, new = operation.old, operation.new
    same = old is not None and new is not None and old.table == new.table
    if operation.kind == "AlterModelTable":  # RenameModel leaves all alone where the table keeps its name
        same = same and old is not None and new is not None and old.through == new.through
    yield "no-change" if same else "rename-table"


def _add_field(operation: Operation, _known: Known) -> Iterator[str]:
    yield from fields.added(operation.after) if operation.after else ["own-operation"]


def _remove_field(operation: Operation, known: Known) -> Iterator[str]:
    before = operation.before
    if before is None:
        yield "own-operation"
        return
    table = before.table if before.many else operation.table
    knows = known is None or (table in known and (before.many or before.column in known[str(table)]))
    yield from fields.removed(before, known=knows) if knows or not before.many else ["remove-unknown-column"]


def _rename_field(operation: Operation, _known: Known) -> Iterator[str]:
    if operation.before is None or operation.after is None:
        yield "own-operation"
    else:
        yield from fields.renamed(operation.before, operation.after)


def _alter_field(operation: Operation, known: Known) -> Iterator[str]:
    before, after = operation.before, operation.after
    if before is None or after is None:
        yield "own-operation"
    elif known is not None and not before.many and before.column not in known.get(str(operation.table), ()):
        yield from fields.altered_unknown(before, after)
    else:
        yield from fields.altered(before, after)


def _order(operation: Operation, _known: Known) -> Iterator[str]:
    match operation.ordered:
        case (False, True):
            yield "add-order"
        case (True, False):
            yield "remove-column"
        case _:
            yield "no-change"


def _unique_together(operation: Operation, _known: Known) -> Iterator[str]:
    before, after = map(set, operation.sets)
    yield from _sets(before, after, "add-unique", "drop-unique")


def _index_together(operation: Operation, _known: Known) -> Iterator[str]:
    before, after = map(set, operation.sets)
    yield from _sets(before, after, "add-index", "drop-index")


def _sets(before: set[tuple[str, ...]], after: set[tuple[str, ...]], come: str, go: str) -> Iterator[str]:
    if after - before:
        yield come
    if before - after:
        yield go
    if before == after:
        yield "no-change"


def _add_constraint(operation: Operation, _known: Known) -> Iterator[str]:
    kind = operation.part[0] if operation.part else None
    yield {
        "CheckConstraint": "add-check",
        "UniqueConstraint": "add-unique",
        "ExclusionConstraint": "add-exclusion",
    }.get(kind or "", "own-operation")


def _index_concurrently(operation: Operation, _known: Known) -> Iterator[str]:
    yield "drop-index" if operation.kind == "RemoveIndexConcurrently" else "add-index-concurrently"
    if operation.atomic:
        yield "not-atomic"


def _python(operation: Operation, _known: Known) -> Iterator[str]:
    yield "no-change" if operation.noop else "python"


def _always(rule: str) -> Callable[[Operation, Known], Iterator[str]]:
    def judge(_operation: Operation, _known: Known) -> Iterator[str]:
        yield rule

    return judge


#: By Django's class. A class of Django's that is not here falls under that of its nearest base that is.
_HANDLERS: dict[str, Callable[[Operation, Known], Iterator[str]]] = {
    "CreateModel": _create_model,
    "DeleteModel": _delete_model,
    "RenameModel": _rename_table,
    "AlterModelTable": _rename_table,
    "AlterModelTableComment": _always("comment"),
    "AlterModelOptions": _always("no-change"),
    "AlterModelManagers": _always("no-change"),
    "AlterOrderWithRespectTo": _order,
    "AlterUniqueTogether": _unique_together,
    "AlterIndexTogether": _index_together,
    "AddField": _add_field,
    "RemoveField": _remove_field,
    "RenameField": _rename_field,
    "AlterField": _alter_field,
    "AddIndex": _always("add-index"),
    "RemoveIndex": _always("drop-index"),
    "RenameIndex": _always("rename-index"),
    "AddIndexConcurrently": _index_concurrently,
    "RemoveIndexConcurrently": _index_concurrently,
    "AddConstraint": _add_constraint,
    "AddConstraintNotValid": _always("add-check-not-valid"),
    "ValidateConstraint": _always("validate"),
    "AlterConstraint": _always("no-change"),
    "RemoveConstraint": _always("drop-unique"),
    "CreateExtension": _always("extension"),
    "CreateCollation": _always("collation"),
    "RemoveCollation": _always("remove-collation"),
    "RunPython": _python,
}
