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
    """Raise Django's exceptions in place of the driver's, whose text may have a whole row in it: a password's hash."""
    try:
        yield
    except PyMongoError as error:
        raise _translated(error) from None
    except DatabaseError as error:
        if not isinstance(error.__cause__, PyMongoError):
            raise
        raise _translated(error.__cause__) from None


def _translated(error: PyMongoError) -> DatabaseError:
    details = getattr(error, "details", None) or {}
    failed = [details, *details.get("writeErrors", ())] if isinstance(error, BulkWriteError) else [details]
    codes = {each.get("code") for each in failed}
    text = "; ".join(each["errmsg"] for each in failed if "errmsg" in each) or f"{error}"
    if _DUPLICATE_KEY in codes:
        return Duplicate(text)
    if _INVALID_DOCUMENT in codes:
        return IntegrityError(text)
    if _WRITE_CONFLICT in codes or error.has_error_label("TransientTransactionError"):
        return Conflict(text)
    if isinstance(error, ConnectionFailure):
        return OperationalError(text)
    return DatabaseError(text)
