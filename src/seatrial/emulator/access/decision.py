"""Whether identity-based policies allow an action. Pure.

Rules from "Policy evaluation logic" of the IAM user guide: everything is denied unless a statement allows it, and a
statement that denies wins. A condition whose key the request does not have is not met, unless its operator ends in
``IfExists``. Operators that are not in :data:`_OPERATORS` are never met.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Need:
    """One question: ``action`` (``ecs:UpdateService``) on ``resource`` (an ARN, or ``*`` for actions that know none).

    ``resource`` is None where nobody here knows it; then any statement's resource will do. ``context`` has the
    condition keys of the request.
    """

    action: str
    resource: str | None
    context: Mapping[str, str] = field(default_factory=dict)


def allowed(documents: Iterable[Mapping[str, Any]], need: Need) -> bool:
    """Whether the policies allow it."""
    found = effects(documents, need)
    return "Allow" in found and "Deny" not in found


def effects(documents: Iterable[Mapping[str, Any]], need: Need) -> set[str]:
    """Return the effects (Allow, Deny) of the statements that concern it."""
    return {
        str(statement.get("Effect"))
        for document in documents
        for statement in _listed(document.get("Statement"))
        if _concerns(statement, need)
    }


def _concerns(statement: Mapping[str, Any], need: Need) -> bool:
    return _acts(statement, need.action) and _on(statement, need.resource) and _met(statement, need.context)


def _acts(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(_like(each.lower(), action.lower()) for each in _listed(statement["NotAction"]))
    return any(_like(each.lower(), action.lower()) for each in _listed(statement.get("Action")))


def _on(statement: Mapping[str, Any], resource: str | None) -> bool:
    if resource is None:
        return True
    if "NotResource" in statement:
        return not any(_like(each, resource) for each in _listed(statement["NotResource"]))
    return any(_like(each, resource) for each in _listed(statement.get("Resource")))


def _met(statement: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    known = {key.lower(): value for key, value in context.items()}
    return all(
        _holds(operator, _listed(values), known.get(key.lower()))
        for operator, conditions in (statement.get("Condition") or {}).items()
        for key, values in conditions.items()
    )


def _holds(operator: str, values: list[Any], actual: str | None) -> bool:
    name = operator.rpartition(":")[2]  # ForAnyValue: and ForAllValues: of a single value are the plain operator
    if name.endswith("IfExists"):
        if actual is None:
            return True
        name = name.removesuffix("IfExists")
    compare = _OPERATORS.get(name)
    if compare is None or actual is None:
        return False
    return any(compare(str(value), actual) for value in values)


def _like(pattern: str, text: str) -> bool:
    return _expression(pattern).fullmatch(text) is not None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _equal(value: str, actual: str) -> bool:
    return value == actual


def _equal_ignoring_case(value: str, actual: str) -> bool:
    return value.lower() == actual.lower()


_OPERATORS = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": _like,
    "ArnEquals": _like,  # the two ARN operators are one (IAM JSON policy elements: Condition operators)
    "ArnLike": _like,
    "Bool": _equal_ignoring_case,
}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
