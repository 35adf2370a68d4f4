"""What becomes of a column: which rules an added, removed, renamed or altered field falls under. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.project.migrations.columntypes import change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.project.migrations.operations import Field

#: Defaults that PostgreSQL computes once for all rows: constants, and what is stable within a statement.
_COMPUTED_ONCE = frozenset({"Value", "Now", "TransactionNow", "Func:CURRENT_DATE", "Func:CURRENT_TIMESTAMP"})

#: Rules that are about values which the serving version writes, and what is left of them where it writes none.
_HARMLESS_WHERE_UNKNOWN = {
    "rename-column": "no-change",
    "narrow": "rewrite-type",
    "change-type": "rewrite-type",
    "add-check": "check-rows",
    "add-reference": "check-rows",
}


def added(after: Field) -> Iterator[str]:
    """Yield the rules for a field that is added."""
    if after.many:
        yield "new-many-to-many" if after.table else "no-change"
        return
    if after.type is None:
        yield "no-change"
        return
    if after.generated:
        yield "add-generated" if after.stored else "add-virtual"
    elif after.identity or (after.db_default is not None and after.db_default not in _COMPUTED_ONCE):
        yield "add-volatile"
    elif after.db_default is not None:
        yield "add-db-default"
    else:
        yield "add-nullable" if after.null else "add-not-null"
    if after.unique or after.index or after.to or after.check:
        yield "add-indexed"


def removed(before: Field, *, known: bool) -> Iterator[str]:
    """Yield the rules for a field that is removed. ``known`` says whether the serving version knows the column."""
    if before.many:
        yield "remove-many-to-many" if before.table else "no-change"
    elif before.type is None:
        yield "no-change"
    elif known:
        yield "remove-column"
        if not before.generated:
            yield "lost-data"
    else:
        yield "remove-unknown-column"


def left_behind(before: Field) -> bool:
    """Whether a column whose field is removed from Django's state alone keeps the new version from inserting."""
    written = not before.many and before.type is not None and not before.generated and not before.identity
    return written and not before.null and before.db_default is None


def renamed(before: Field, after: Field) -> Iterator[str]:
    """Yield the rules for a field that has another name."""
    if before.many:
        yield "rename-table" if before.table != after.table else "no-change"
    else:
        yield "rename-column" if before.column != after.column else "no-change"


def altered(before: Field, after: Field) -> Iterator[str]:
    """Yield the rules for a field that is altered."""
    found = list(_altered(before, after))
    yield from dict.fromkeys(found or ["no-change"])


def altered_unknown(before: Field, after: Field) -> Iterator[str]:
    """Yield the rules for an altered field whose column the serving version does not know.

    Its INSERT leaves the column to the database, so NOT NULL without a default still fails, and a default is written
    again and again. Everything else only takes its time.
    """
    for rule in altered(before, after):
        if rule == "add-unique" and after.db_default is None:
            yield "add-index"
        elif rule == "set-not-null" and after.db_default is not None:
            yield "check-rows"
        else:
            yield _HARMLESS_WHERE_UNKNOWN.get(rule, rule)


def _altered(before: Field, after: Field) -> Iterator[str]:
    if before.many or after.many:
        if before.table != after.table:
            yield "rename-table"
        return
    if before.type is None and after.type is None:
        return
    if before.type is None:
        yield from added(after)
        return
    if after.type is None:
        yield from removed(before, known=True)
        return
    if before.column != after.column:
        yield "rename-column"
    if before.primary_key != after.primary_key:
        yield "change-key"
        return
    yield from _type(before.type, after.type)
    yield from _nullness(before, after)
    yield from _constraints(before, after)
    yield from _indexes(before, after)
    if before.collation != after.collation:
        yield "change-collation"
    if before.comment != after.comment:
        yield "comment"


def _type(before: str, after: str) -> Iterator[str]:
    match change(before, after):
        case "widen":
            yield "widen"
        case "rewrite":
            yield "rewrite-type"
        case "narrow":
            yield "narrow"
        case "other":
            yield "change-type"


def _nullness(before: Field, after: Field) -> Iterator[str]:
    if before.null and not after.null:
        yield "set-not-null"
    elif after.null and not before.null:
        yield "drop-not-null"
    if before.db_default is not None and after.db_default is None:
        yield "no-change" if after.null else "drop-db-default"
    elif before.db_default != after.db_default:
        yield "set-db-default"


def _constraints(before: Field, after: Field) -> Iterator[str]:
    if before.check != after.check:
        yield "add-check" if after.check else "drop-unique"
    if before.to != after.to:
        yield "add-reference" if after.to else "drop-reference"
    elif after.to and before.on_delete != after.on_delete:
        yield "check-rows"


def _indexes(before: Field, after: Field) -> Iterator[str]:
    if before.unique != after.unique:
        yield "add-unique" if after.unique else "drop-unique"
    indexed = (before.index and not before.unique, after.index and not after.unique)
    if indexed == (False, True) and not before.unique:
        yield "add-index"
    elif indexed == (True, False) and not after.unique:
        yield "drop-index"
