"""Conditions of check constraints, as expressions that a validator of MongoDB takes."""

from typing import Any

from bson import Decimal128
from django.db import NotSupportedError
from django.db.models import F, Q

_COMPARISONS = {"exact": "$eq", "gt": "$gt", "gte": "$gte", "lt": "$lt", "lte": "$lte", "in": "$in"}


def not_false(model: Any, condition: Q) -> dict[str, Any]:
    """Return an expression that holds where a condition is not false: true or, by a null, unknown, as CHECK has it."""
    return _holds(model, condition, unknown=True)


def _holds(model: Any, node: Any, *, unknown: bool) -> dict[str, Any]:
    """Return an expression that says a condition is true; with ``unknown``, that it is not false."""
    if not isinstance(node, Q):
        return _comparison(model, *node, unknown=unknown)
    if node.negated:
        return {"$not": [_holds(model, Q(*node.children, _connector=node.connector), unknown=not unknown)]}
    parts = [_holds(model, each, unknown=unknown) for each in node.children]
    return {"$and" if node.connector == Q.AND else "$or": parts}


def _comparison(model: Any, lookup: str, value: Any, *, unknown: bool) -> dict[str, Any]:
    name, _, operator = lookup.partition("__")
    field = _field(model, name)
    if operator == "isnull" or value is None:
        return _null(field, is_null=value is None or value)
    other = _field(model, value.name) if isinstance(value, F) else {"$literal": _plain(value)}
    if operator == "regex":
        compared = {"$regexMatch": {"input": field, "regex": other}}
    elif (operator or "exact") in _COMPARISONS:
        compared = {_COMPARISONS[operator or "exact"]: [field, other]}
    else:
        raise NotSupportedError(f"a validator of MongoDB cannot say {lookup}")
    known = [_null(each, is_null=False) for each in (field, other) if isinstance(each, str)]
    return {"$or": [{"$not": [{"$and": known}]}, compared]} if unknown else {"$and": [*known, compared]}


def _field(model: Any, name: str) -> str:
    return f"${(model._meta.pk if name == 'pk' else model._meta.get_field(name)).column}"


def _null(field: str, *, is_null: bool) -> dict[str, Any]:
    """Return an expression for null, which a field that is not there is as well."""
    return {"$lte" if is_null else "$gt": [field, None]}


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list, set)):
        return [_plain(each) for each in value]
    return Decimal128(f"{value}") if type(value).__name__ == "Decimal" else value
