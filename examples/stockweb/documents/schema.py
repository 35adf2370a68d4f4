"""Collections with their indexes, and check constraints as validators of the collections."""

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.indexes import PostgresIndex
from django.db import NotSupportedError
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django_mongodb_backend.schema import DatabaseSchemaEditor
from pymongo import ASCENDING

from documents.errors import django_errors
from documents.validators import not_false

_WHOLE_NUMBERS = ("int", "long")


class SchemaEditor(DatabaseSchemaEditor):
    """Makes collections as models describe them."""

    def create_model(self, model: Any) -> None:
        """Make a collection with its indexes and its validator."""
        super().create_model(model)
        self._validate(model, model._meta.constraints)

    def add_field(self, model: Any, field: Any) -> None:
        """Give every row the field, and the collection its indexes and a validator that knows it."""
        super().add_field(model, field)
        if not field.many_to_many:
            self._validate(model, model._meta.constraints)

    def add_constraint(self, model: Any, constraint: Any, *_args: Any, **_more: Any) -> None:
        """Make a unique index for a unique constraint; renew the validator for any other."""
        if isinstance(constraint, UniqueConstraint):
            self._add_unique(model, constraint)
        else:
            self._validate(model, [*(each for each in model._meta.constraints if each != constraint), constraint])

    def remove_constraint(self, model: Any, constraint: Any) -> None:
        """Drop the index of a unique constraint; renew the validator for any other."""
        if isinstance(constraint, UniqueConstraint):
            self.get_collection(model._meta.db_table).drop_index(constraint.name)
        else:
            self._validate(model, [each for each in model._meta.constraints if each != constraint])

    def add_index(self, model: Any, index: Index, **kwargs: Any) -> None:
        """Make an index, unless it is of a kind that PostgreSQL alone has; a condition that is too much is left out."""
        if isinstance(index, PostgresIndex):
            return
        try:
            super().add_index(model, index, **kwargs)
        except NotSupportedError:
            super().add_index(model, Index(fields=index.fields, name=index.name), **kwargs)

    def remove_index(self, model: Any, index: Index) -> None:
        """Drop an index, if it was made."""
        if not isinstance(index, PostgresIndex):
            super().remove_index(model, index)

    def _add_unique(self, model: Any, constraint: UniqueConstraint) -> None:
        """Make a unique index. Rows with a null are no twins, unless the constraint says that they are."""
        fields = [model._meta.get_field(name) for name in constraint.fields]
        partial = {} if constraint.condition is None else _filter(constraint.condition)
        if constraint.nulls_distinct is not False:
            partial |= {each.column: {"$type": each.db_type(self.connection)} for each in fields if each.null}
        options = {"partialFilterExpression": partial} if partial else {}
        with django_errors():
            self.get_collection(model._meta.db_table).create_index(
                [(each.column, ASCENDING) for each in fields], name=constraint.name, unique=True, **options
            )

    def _validate(self, model: Any, constraints: Sequence[Any]) -> None:
        """Have MongoDB refuse rows against a check constraint, and numbers that are none or too small."""
        kinds = {each.column: self._kind(each) for each in model._meta.local_concrete_fields}
        schema = {"$jsonSchema": {"properties": {column: kind for column, kind in kinds.items() if kind}}}
        checks = [not_false(model, each.condition) for each in constraints if isinstance(each, CheckConstraint)]
        with django_errors():
            self.get_database().command(
                "collMod", model._meta.db_table, validator={"$and": [schema, *({"$expr": each} for each in checks)]}
            )

    def _kind(self, field: Any) -> dict[str, Any]:
        if field.db_type(self.connection) not in _WHOLE_NUMBERS:
            return {}
        least = {"minimum": 0} if field.get_internal_type().startswith("Positive") else {}
        return {"bsonType": [*_WHOLE_NUMBERS, *(["null"] if field.null else [])], **least}


def _filter(condition: Q) -> dict[str, Any]:
    """Return the condition of a unique constraint as a partial index has it: equal to something, or not empty.

    MongoDB refuses ``$ne`` there, and a text that is greater than the empty one says the same.
    """
    if condition.connector == Q.AND and all(
        isinstance(each, tuple) and "__" not in each[0] for each in condition.children
    ):
        if not condition.negated:
            return dict(condition.children)
        if [value for _, value in condition.children] == [""]:
            return {condition.children[0][0]: {"$gt": ""}}
    raise NotSupportedError(f"MongoDB has no unique index under the condition {condition}")
