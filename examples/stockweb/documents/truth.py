"""Check constraints as a form asks them of a row before it is written, with SQL's third truth value for nulls.

Django has the database work that out, and in MongoDB null equals null.
"""

import operator
import re
from collections.abc import Callable, Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections
from django.db.models import CheckConstraint, F, Q

_COMPARISONS = {
    "exact": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda value, among: value in among,
    "regex": lambda value, pattern: re.search(pattern, value) is not None,
}


def truth(condition: Any, value_of: Callable[[str], Any]) -> bool | None:
    """Return whether a condition holds, None where a null leaves that unknown."""
    if not isinstance(condition, Q):
        return _compared(*condition, value_of)
    decisive = condition.connector == Q.OR
    parts = [truth(each, value_of) for each in condition.children]
    whole = decisive if decisive in parts else None if None in parts else not decisive
    return not whole if condition.negated and whole is not None else whole


def _compared(lookup: str, wanted: Any, value_of: Callable[[str], Any]) -> bool | None:
    name, _, comparison = lookup.partition("__")
    value = value_of(name)
    if comparison == "isnull" or wanted is None:
        return (value is None) == (wanted is None or wanted)
    other = value_of(wanted.name) if isinstance(wanted, F) else wanted
    return None if value is None or other is None else _COMPARISONS[comparison or "exact"](value, other)


def _names(condition: Any) -> set[str]:
    if isinstance(condition, Q):
        return {name for each in condition.children for name in _names(each)}
    lookup, wanted = condition
    return {lookup.partition("__")[0], *([wanted.name] if isinstance(wanted, F) else [])}


def _field(model: Any, name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)


def validate(constraint: CheckConstraint, model: Any, instance: Any, exclude: Collection[str]) -> None:
    """Refuse a row against a constraint, unless that is about a field to be left out; raises ``ValidationError``."""
    if _names(constraint.condition) & set(exclude):
        return
    if truth(constraint.condition, lambda name: getattr(instance, _field(model, name).attname)) is False:
        raise ValidationError(constraint.get_violation_error_message(), code=constraint.violation_error_code)


def register() -> None:
    """Have check constraints of rows in MongoDB asked here, and others where they were."""
    elsewhere = CheckConstraint.validate

    def chosen(self: CheckConstraint, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        if connections[using].vendor == "mongodb":
            validate(self, model, instance, exclude or ())
        else:
            elsewhere(self, model, instance, exclude, using)

    CheckConstraint.validate = chosen
