"""What MongoDB refuses, as the exceptions that Django has for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, IntegrityError, OperationalError
from pymongo.errors import BulkWriteError, ConnectionFailure, PyMongoError

_INVALID_DOCUMENT = 121
_WRITE_CONFLICT = 112
_DUPLICATE_KEY = 11000


class Conflict(OperationalError):
    """Another transaction crossed this one, of which nothing is left: it may be done again from its beginning."""


class Duplicate(IntegrityError):
    """There is another such row."""


def crossed(error: Exception) -> bool:
    """Whether a change was refused for another one, most likely of the same moment."""
    return isinstance(error, Conflict | Duplicate)


@contextmanager
def django_errors() -> Iterator[None]:
    """Raise Django's exceptions in place of the driver's."""
    try:
        yield
    except PyMongoError as error:
        raise _translated(error) from error
    except DatabaseError as error:
        if not isinstance(error.__cause__, PyMongoError):
            raise
        raise _translated(error.__cause__) from error.__cause__


def _translated(error: PyMongoError) -> DatabaseError:
    codes = {getattr(error, "code", None)}
    if isinstance(error, BulkWriteError):
        codes |= {each.get("code") for each in error.details.get("writeErrors", ())}
    if _DUPLICATE_KEY in codes:
        return Duplicate(f"{error}")
    if _INVALID_DOCUMENT in codes:
        return IntegrityError(f"{error}")
    if _WRITE_CONFLICT in codes or error.has_error_label("TransientTransactionError"):
        return Conflict(f"{error}")
    if isinstance(error, ConnectionFailure):
        return OperationalError(f"{error}")
    return DatabaseError(f"{error}")
