"""The engine's connection: sessions of MongoDB under Django's transactions."""

from typing import Any

from bson import Int64
from django.db.backends.base.base import BaseDatabaseWrapper
from django_mongodb_backend import base, features, operations, validation
from pymongo.read_concern import ReadConcern

from documents import truth
from documents.errors import django_errors
from documents.schema import SchemaEditor

truth.register()


class Features(features.DatabaseFeatures):
    """What Django may count on here."""

    supports_transactions = True
    can_return_columns_from_insert = True
    supports_table_check_constraints = True
    supports_nulls_distinct_unique_constraints = True
    supports_expression_defaults = True


class Operations(operations.DatabaseOperations):
    """How values are written."""

    compiler_module = "documents.compiler"

    def validate_autopk_value(self, value: int | None) -> Int64 | None:
        """Write every id as 64 bits, small ones too: MongoDB tells the widths of numbers apart."""
        return None if value is None else Int64(value)


class Validation(validation.DatabaseValidation):
    """What models may have."""

    prohibited_fields = frozenset[str]()


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose ``atomic`` blocks are transactions."""

    data_types = base.DatabaseWrapper.data_types | {
        "AutoField": "long",
        "BigAutoField": "long",
        "SmallAutoField": "int",
    }
    SchemaEditorClass = SchemaEditor
    features_class = Features
    ops_class = Operations
    validation_class = Validation
    # The backend has these as no-ops, and a second `atomic` in their place; here they are what Django means by them.
    set_autocommit = BaseDatabaseWrapper.set_autocommit
    on_commit = BaseDatabaseWrapper.on_commit

    def _set_autocommit(self, autocommit: bool) -> None:
        if not autocommit:
            with django_errors():
                self.session = self.connection.start_session()
                self.session.start_transaction(read_concern=ReadConcern("snapshot"))

    def _commit(self) -> None:
        if self.session is not None:
            with django_errors():
                self.session.commit_transaction()
            self._end_session()

    def _rollback(self) -> None:
        if self.session is not None:
            try:
                with django_errors():
                    self.session.abort_transaction()
            finally:
                self._end_session()

    def is_usable(self) -> bool:
        """Whether the server answers. The driver replaces connections that were lost by itself."""
        return True

    def ping(self) -> None:
        """Raise ``OperationalError`` when the server does not answer."""
        with django_errors():
            self.database.command("ping")

    def get_connection_params(self) -> dict[str, Any]:
        """Return what the driver is told: acknowledged by most servers, so that no committed change is ever lost."""
        return {"w": "majority", "readConcernLevel": "majority", **super().get_connection_params()}
