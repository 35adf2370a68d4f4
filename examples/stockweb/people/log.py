"""Who changed definitions and people: the log of Django's admin, whichever way the change was made."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db.models import Model

ADDED, CHANGED, DELETED = ADDITION, CHANGE, DELETION


def note(user: Any, row: Model, what: int, fields: Iterable[str] = ()) -> None:
    """Write down that a user changed a row (before it is deleted), and which of its fields."""
    message = [{"changed": {"fields": sorted(fields)}}] if what == CHANGED else ""
    LogEntry.objects.log_actions(user.pk, [row], what, change_message=message, single_object=True)
