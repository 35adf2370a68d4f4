"""Queries, with what the backend's own compilers leave out: ids, defaults of the database, locks, append-only rows."""

from collections.abc import Sequence
from typing import Any

from bson import ObjectId
from django.db import IntegrityError
from django.db.models import AutoField
from django.db.models.expressions import Col, DatabaseDefault, Value
from django.db.models.functions import Now
from django.utils import timezone
from django_mongodb_backend import compiler

from documents import ids
from documents.errors import django_errors


class SQLCompiler(compiler.SQLCompiler):
    """Reads."""

    def execute_sql(self, *args: Any, **kwargs: Any) -> Any:
        """Read, having locked the rows where that is asked for. Conflicts come to light here."""
        with django_errors():
            if self.query.select_for_update and self.connection.session is not None:
                self._lock()
            return super().execute_sql(*args, **kwargs)

    def get_project_fields(
        self, columns: Any = None, ordering: Any = None, force_expression: bool = True
    ) -> dict[str, Any]:
        """Return what is read of each row, always by its path: not every server reads a 1 within a document as that."""
        del force_expression
        return super().get_project_fields(columns, ordering, force_expression=True)

    def build_query(self, columns: Any = None) -> Any:
        """Build a query. What is ordered by a field of another collection names what it reads, as others do anyway.

        Else the backend adds that field to the other row, and not every server leaves the rest of it there.
        """
        orders = (each.expression for each in self.order_by_objs or ())
        if columns is None and any(isinstance(it, Col) and it.alias != self.collection_name for it in orders):
            columns = self.columns
        return super().build_query(columns)

    def _lock(self) -> None:
        """Write into each row that will be read: whoever else does so in another transaction meets a conflict."""
        chosen = self.query.clone()
        chosen.select_for_update = False
        chosen.select_related = False
        chosen.set_values(["pk"])
        rows = chosen.get_compiler(self.using, self.connection).results_iter(tuple_expected=True)
        meta = self.query.get_meta()
        self.connection.get_collection(meta.db_table).update_many(
            {meta.pk.column: {"$in": [row[0] for row in rows]}},
            {"$set": {"locked": ObjectId()}},  # a value of its own, because writing the same again is no write
            session=self.connection.session,
        )


class SQLInsertCompiler(compiler.SQLInsertCompiler, SQLCompiler):
    """Inserts."""

    def execute_sql(self, returning_fields: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Insert. Returns the columns asked for, of each row."""
        with django_errors():
            return compiler.SQLInsertCompiler.execute_sql(self, returning_fields)

    def insert(
        self, docs: list[dict[str, Any]], returning_fields: Sequence[Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Insert rows, each under its id, which is counted up where none was chosen."""
        meta = self.query.get_meta()
        key = meta.pk.column
        without = [row for row in docs if row.get(key) is None] if isinstance(meta.pk, AutoField) else []
        if without:
            for row, number in zip(without, ids.draw(self.connection, meta.db_table, len(without)), strict=True):
                row[key] = self.connection.ops.validate_autopk_value(number)
        rows = [{"_id": row[key], **{column: self._plain(value) for column, value in row.items()}} for row in docs]
        super().insert(rows)
        if not returning_fields:
            return []
        returned = [tuple(row.get(field.column) for field in returning_fields) for row in rows]
        converters = self.get_converters([field.get_col(meta.db_table) for field in returning_fields])
        return list(self.apply_converters(returned, converters))

    def _plain(self, value: Any) -> Any:
        """Return a value for what SQL would let the database work out."""
        if isinstance(value, DatabaseDefault):
            value = value.expression
        if isinstance(value, Now):
            return self.connection.ops.adapt_datetimefield_value(timezone.now())
        return value.value if isinstance(value, Value) else value


class SQLUpdateCompiler(compiler.SQLUpdateCompiler, SQLCompiler):
    """Updates."""

    def execute_sql(self, result_type: Any) -> int:
        """Update, unless rows of the model stay as they are."""
        _refuse_append_only(self.query.get_meta().model)
        with django_errors():
            return compiler.SQLUpdateCompiler.execute_sql(self, result_type)


class SQLDeleteCompiler(compiler.SQLDeleteCompiler, SQLCompiler):
    """Deletes."""

    def execute_sql(self, *args: Any, **kwargs: Any) -> int:
        """Delete, unless rows of the model stay."""
        _refuse_append_only(self.query.get_meta().model)
        with django_errors():
            return compiler.SQLDeleteCompiler.execute_sql(self, *args, **kwargs)


class SQLAggregateCompiler(compiler.SQLAggregateCompiler, SQLCompiler):
    """Aggregates."""


def _refuse_append_only(model: Any) -> None:
    if getattr(model, "append_only", False):
        raise IntegrityError(f"{model._meta.verbose_name_plural} are append-only")
