"""What the collector tells of migrations, as values. Nothing here decides anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Model:
    """A model in one state. ``real`` says that migrations make its table: not of a proxy, an unmanaged or swapped one.

    ``through`` are the tables that Django itself makes for the model's many-to-many fields.
    """

    name: str
    table: str
    real: bool
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """A field in one state, as the database sees it.

    ``type`` is the column's type (``varchar(20)``), None for a field without a column. ``to`` is the table that a
    foreign key constraint refers to. ``db_default`` is ``Value`` for a constant, else the expression's class. A field
    that is ``many`` to many has only ``table``, None where the table is a model of its own.
    """

    many: bool = False
    table: str | None = None
    column: str = ""
    type: str | None = None
    identity: bool = False
    check: str | None = None
    collation: str | None = None
    null: bool = False
    unique: bool = False
    primary_key: bool = False
    index: bool = False
    default: bool = False
    db_default: str | None = None
    generated: bool = False
    stored: bool = False
    comment: str | None = None
    to: str | None = None
    on_delete: str | None = None


@dataclass(frozen=True)
class Operation:
    """One operation of one migration.

    ``kind`` is Django's class that does the work, empty for a class of the project's own that does it differently;
    ``class_name`` is the one that is written in the migration and ``bases`` are those of Django's above it.
    ``old`` and ``new`` are the model before and after, ``before`` and ``after`` the field. ``sets`` are the
    ``unique_together`` or ``index_together`` sets before and after. ``part`` is the class (if it is known) and the
    name of an index, a constraint, an extension or a collation. ``to`` are the tables that a new model refers to.
    ``sql`` are RunSQL's texts, ``code`` is the name of RunPython's function, ``noop`` says that it does nothing.
    ``parts`` are what SeparateDatabaseAndState does to the database, ``states`` what only to Django's state.
    """

    kind: str
    app: str
    migration: str
    class_name: str = ""
    atomic: bool = True
    bases: tuple[str, ...] = ()
    reversible: bool = True
    old: Model | None = None
    new: Model | None = None
    model: str | None = None
    field: str | None = None
    before: Field | None = None
    after: Field | None = None
    sets: tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]] = ((), ())
    ordered: tuple[bool, bool] = (False, False)
    part: tuple[str | None, str] | None = None
    to: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    code: str | None = None
    noop: bool = False
    parts: tuple[Operation, ...] = ()
    states: tuple[Operation, ...] = ()
    number: int = 1

    @property
    def table(self) -> str | None:
        """The table that it is about, by its name before."""
        model = self.old or self.new
        return model.table if model else None

    @property
    def title(self) -> str:
        """What it is: ``RemoveField stock.Part.old``."""
        what = f"{self.app}.{self.model}" if self.model else ""
        what += f".{self.field}" if self.field else ""
        what += f" {self.part[1]}" if self.part else ""
        what += f" {self.code}" if self.code else ""
        title = f"{self.class_name or self.kind} {what.strip()}".strip()
        return title if self.number == 1 else f"{title} #{self.number}"

    @property
    def name(self) -> str:
        """The name that acknowledges it: ``stock.0007_drop_old:RemoveField stock.Part.old``."""
        return f"{self.app}.{self.migration}:{self.title}"


def read(migrations: Iterator[Mapping[str, Any]] | list[Mapping[str, Any]]) -> tuple[Operation, ...]:
    """Return the operations of the collector's ``migrations``, in the order in which they would be applied.

    Two that have the same title in one migration are numbered.
    """
    found: list[Operation] = []
    for migration in migrations:
        seen: dict[str, int] = {}
        for raw in migration["operations"]:
            operation = _operation(raw, migration, 1)
            seen[operation.title] = seen.get(operation.title, 0) + 1
            if seen[operation.title] > 1:
                operation = _operation(raw, migration, seen[operation.title])
            found.append(operation)
    return tuple(found)


def _operation(raw: Mapping[str, Any], migration: Mapping[str, Any], number: int) -> Operation:
    kind = raw["kind"]
    before, after = raw.get("before"), raw.get("after")
    fields = isinstance(before, dict) or isinstance(after, dict)
    sets = kind in ("AlterUniqueTogether", "AlterIndexTogether")
    ordered = kind == "AlterOrderWithRespectTo"
    part = raw.get("part")
    return Operation(
        kind=kind,
        app=migration["app"],
        migration=migration["name"],
        class_name=raw["class"],
        atomic=migration["atomic"],
        bases=tuple(raw["bases"]),
        reversible=raw["reversible"],
        old=_model(raw.get("old")),
        new=_model(raw.get("new")),
        model=raw.get("model"),
        field=raw.get("field"),
        before=Field(**before) if fields and before else None,
        after=Field(**after) if fields and after else None,
        sets=(_sets(before), _sets(after)) if sets else ((), ()),
        ordered=(bool(before), bool(after)) if ordered else (False, False),
        part=(part["kind"], part["name"]) if part else None,
        to=tuple(raw.get("to", ())),
        sql=tuple(raw.get("sql", ())),
        code=raw.get("code"),
        noop=raw.get("noop", False),
        parts=tuple(_operation(each, migration, 1) for each in raw.get("database", ())),
        states=tuple(_operation(each, migration, 1) for each in raw.get("state", ())),
        number=number,
    )


def _model(raw: Mapping[str, Any] | None) -> Model | None:
    return Model(raw["name"], raw["table"], raw["real"], tuple(raw["through"])) if raw else None


def _sets(raw: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted(tuple(each) for each in raw))
