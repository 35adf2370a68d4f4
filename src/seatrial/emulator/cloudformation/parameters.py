"""Parameters of a stack: values given, defaults and previous values, held against their constraints.

Source of rules and messages: AWS CloudFormation user guide, "CloudFormation template Parameters syntax".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.intrinsics import Unknown, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MASK = "****"


@dataclass(frozen=True)
class Parameter:
    """One parameter with its value.

    ``given`` is the text of the request or the default, ``value`` what ``Ref`` gives: a list for list types, the
    stored value for ``AWS::SSM::Parameter::Value<...>``.
    """

    name: str
    type: str
    given: str
    value: Any
    no_echo: bool = False

    def describe(self) -> dict[str, Any]:
        """Return the parameter as DescribeStacks shows it; a NoEcho value is masked."""
        answer = {"ParameterKey": self.name, "ParameterValue": MASK if self.no_echo else self.given}
        if self.type.startswith("AWS::SSM::Parameter::Value") and not isinstance(self.value, Unknown):
            answer["ResolvedValue"] = ",".join(self.value) if isinstance(self.value, list) else self.value
        return answer


@dataclass(frozen=True)
class Given:
    """The parameters of a request: values by name, and the names that keep their previous value.

    ``unknown`` are those of a nested stack whose value only exists after a change, name → the text in its place.
    """

    values: Mapping[str, str]
    previous: frozenset[str] = frozenset()
    unknown: Mapping[str, str] = field(default_factory=dict)


def given(entries: list[dict[str, Any]] | None) -> Given:
    """Read ``Parameters`` of a request. Raises :class:`TemplateError` for a name given twice."""
    values: dict[str, str] = {}
    previous = set()
    for entry in entries or []:
        name = entry["ParameterKey"]
        if name in values or name in previous:
            raise TemplateError(f"Parameters: [{name}] are defined more than once")
        if entry.get("UsePreviousValue"):
            if entry.get("ParameterValue") is not None:
                raise TemplateError(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non "
                    "empty value for a parameter"
                )
            previous.add(name)
        else:
            values[name] = text(entry.get("ParameterValue", ""))
    return Given(values, frozenset(previous))


def settle(
    declared: Mapping[str, Mapping[str, Any]],
    request: Given,
    before: Mapping[str, Parameter],
    stored: Callable[[str], str],
) -> dict[str, Parameter]:
    """Return the parameters of a stack.

    ``before`` are its present ones (empty on create), ``stored`` reads a parameter of SSM's store by name.
    Raises :class:`TemplateError` with AWS's text for whatever is missing, unknown or breaks a constraint.
    """
    unknown = [name for name in (*request.values, *request.previous, *request.unknown) if name not in declared]
    if unknown:
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    texts: dict[str, str] = {}
    missing = []
    for name, definition in declared.items():
        if name in request.unknown:
            texts[name] = request.unknown[name]
        elif name in request.values:
            texts[name] = request.values[name]
        elif name in request.previous and name in before:
            texts[name] = before[name].given
        elif name in request.previous:
            raise TemplateError(
                f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a "
                "parameter key not in the previous template"
            )
        elif "Default" in definition:
            texts[name] = _default(definition["Default"])
        else:
            missing.append(name)
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    return {
        name: _unknown(name, declared[name], value)
        if name in request.unknown
        else _parameter(name, declared[name], value, stored)
        for name, value in texts.items()
    }


def _default(value: Any) -> str:
    return ",".join(text(item) for item in value) if isinstance(value, list) else text(value)


def _unknown(name: str, definition: Mapping[str, Any], placeholder: str) -> Parameter:
    """Return a parameter that nothing can be held against yet; what is built from it hangs on its name."""
    return Parameter(name, str(definition["Type"]), placeholder, Unknown((name,)), _no_echo(definition))


def _no_echo(definition: Mapping[str, Any]) -> bool:
    return text(definition.get("NoEcho", False)).lower() == "true"


def _parameter(name: str, definition: Mapping[str, Any], value: str, stored: Callable[[str], str]) -> Parameter:
    kind = str(definition["Type"])
    no_echo = _no_echo(definition)
    _check(name, kind, definition, value)
    inner = re.fullmatch(r"AWS::SSM::Parameter::Value<(.+)>", kind)
    if inner:
        return Parameter(name, kind, value, _value(inner[1], stored(value)), no_echo)
    return Parameter(name, kind, value, _value(kind, value), no_echo)


def _value(kind: str, value: str) -> Any:
    if not _is_list(kind):
        return value
    return [item.strip() for item in value.split(",")] if value else []


def _is_list(kind: str) -> bool:
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def _check(name: str, kind: str, definition: Mapping[str, Any], value: str) -> None:
    items = _value(kind, value) if _is_list(kind) else [value]
    if kind in {"Number", "List<Number>"}:
        for item in items:
            if not _is_number(item):
                wanted = "must be a number" if kind == "Number" else "must be a list of numbers"
                raise TemplateError(f"Parameter '{name}' {wanted}.")
    described = definition.get("ConstraintDescription")

    def refuse(constraint: str) -> TemplateError:
        return TemplateError(f"Parameter {name} failed to satisfy constraint: {described or constraint}")

    words = [text(entry) for entry in definition.get("AllowedValues") or items]
    if any(item not in words for item in items):
        raise refuse("") if described else TemplateError(f"Parameter '{name}' must be one of AllowedValues")
    pattern = definition.get("AllowedPattern")
    if pattern is not None:
        for item in items:
            if not re.fullmatch(str(pattern), item):
                raise refuse(f"must match pattern {pattern}")
    _check_bounds(kind, definition, items, refuse)


def _check_bounds(
    kind: str, definition: Mapping[str, Any], items: list[str], refuse: Callable[[str], TemplateError]
) -> None:
    for item in items:
        if "MinLength" in definition and len(item) < int(definition["MinLength"]):
            raise refuse(f"must have a minimum length of {definition['MinLength']}")
        if "MaxLength" in definition and len(item) > int(definition["MaxLength"]):
            raise refuse(f"must have a maximum length of {definition['MaxLength']}")
        if kind not in {"Number", "List<Number>"}:
            continue
        if "MinValue" in definition and float(item) < float(definition["MinValue"]):
            raise refuse(f"must be a number greater than or equal to {definition['MinValue']}")
        if "MaxValue" in definition and float(item) > float(definition["MaxValue"]):
            raise refuse(f"must be a number less than or equal to {definition['MaxValue']}")


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", value))
