"""What refers to what in a template, and in which order resources come. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.intrinsics import PSEUDO, split_get_att, split_sub, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seatrial.emulator.cloudformation.template import Template


@dataclass(frozen=True)
class Reference:
    """A name that a value refers to; ``attribute`` is None for ``Ref``."""

    name: str
    attribute: str | None = None


def references(value: Any, holds: Callable[[str], bool] | None = None) -> Iterator[Reference]:
    """Yield every Ref, GetAtt and Sub variable in a value. With ``holds``, only the chosen branch of ``Fn::If``."""
    if isinstance(value, list):
        for item in value:
            yield from references(item, holds)
        return
    if not isinstance(value, dict):
        return
    name, argument = next(iter(value.items())) if len(value) == 1 else ("", None)
    if name == "Ref" and isinstance(argument, str):
        yield Reference(argument)
    elif name == "Fn::GetAtt":
        resource, attribute = split_get_att(argument)
        yield Reference(resource, attribute if isinstance(attribute, str) else "")
        yield from references(attribute, holds)
    elif name == "Fn::Sub":
        yield from _sub_references(argument, holds)
    elif name == "Fn::If" and holds and isinstance(argument, list) and len(argument) == 3:
        yield from references(argument[1] if holds(argument[0]) else argument[2], holds)
    else:
        yield from references(list(value.values()), holds)


def _sub_references(argument: Any, holds: Callable[[str], bool] | None) -> Iterator[Reference]:
    template, given = split_sub(argument)
    for variable in variables(template):
        if variable not in given:
            resource, dot, attribute = variable.partition(".")
            yield Reference(resource, attribute) if dot else Reference(variable)
    yield from references(given, holds)


def depends_on(resource: Mapping[str, Any]) -> list[str]:
    """Return ``DependsOn`` as a list."""
    declared = resource.get("DependsOn") or []
    return list(declared) if isinstance(declared, list) else [declared]


def dependencies(resources: Mapping[str, Mapping[str, Any]], holds: Callable[[str], bool]) -> dict[str, frozenset[str]]:
    """Return what each resource must wait for, among ``resources`` (those whose condition holds)."""
    needed = {}
    for name, resource in resources.items():
        named = {reference.name for reference in references(resource.get("Properties") or {}, holds)}
        named |= set(depends_on(resource))
        needed[name] = frozenset(other for other in named if other in resources and other != name)
        if any(reference.name == name for reference in references(resource.get("Properties") or {}, holds)):
            raise TemplateError(f"Circular dependency between resources: [{name}]")
    return needed


def order(needed: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the names so that each comes after what it needs, otherwise as written.

    Raises :class:`TemplateError` naming the resources of a circle.
    """
    done: dict[str, None] = {}
    left = list(needed)
    while left:
        ready = [name for name in left if needed[name] <= done.keys()]
        if not ready:
            raise TemplateError(f"Circular dependency between resources: [{', '.join(sorted(_circle(needed, left)))}]")
        done.update(dict.fromkeys(ready))
        left = [name for name in left if name not in done]
    return list(done)


def reverse(needed: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return what each resource must wait for when they are deleted: those that need it."""
    return {name: frozenset(other for other, needs in needed.items() if name in needs) for name in needed}


def _circle(needed: Mapping[str, frozenset[str]], left: list[str]) -> set[str]:
    """Return the members of ``left`` that are in a circle, without those that merely wait for one."""
    inside = set(left)
    while True:
        waiting = {name for name in inside if not any(name in needed[other] for other in inside)}
        if not waiting:
            return inside
        inside -= waiting


def judge_references(template: Template) -> None:
    """Refuse references to what the template does not have, in AWS's words. Raises :class:`TemplateError`."""
    parameters, conditions = template.section("Parameters"), template.section("Conditions")
    names = template.resources.keys() | parameters.keys() | PSEUDO
    for block, entries in (("Resources", template.resources), ("Outputs", template.section("Outputs"))):
        unresolved: dict[str, None] = {}
        for entry in entries.values():
            judged = entry if block == "Outputs" else {"Properties": entry.get("Properties") or {}}
            for reference in references(judged):
                if reference.attribute is None and reference.name not in names:
                    unresolved[reference.name] = None
                if reference.attribute is not None and reference.name not in template.resources:
                    raise TemplateError(
                        f"Template error: instance of Fn::GetAtt references undefined resource {reference.name}"
                    )
            unresolved.update(dict.fromkeys(name for name in depends_on(entry) if name not in template.resources))
            condition = entry.get("Condition")
            if isinstance(condition, str) and condition not in conditions:
                raise TemplateError(
                    f"Template format error: Unresolved condition dependency {condition} in the {block} block "
                    "of the template"
                )
            for used in _conditions_used(judged):
                if used not in conditions:
                    raise TemplateError(
                        f"Template format error: Unresolved condition dependency {used} in the {block} block of "
                        "the template"
                    )
        if unresolved:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{', '.join(unresolved)}] in the {block} "
                "block of the template"
            )
    _judge_conditions(conditions, parameters.keys() | PSEUDO)


def _conditions_used(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        argument = value.get("Fn::If")
        if len(value) == 1 and isinstance(argument, list) and argument and isinstance(argument[0], str):
            yield argument[0]
        for item in value.values():
            yield from _conditions_used(item)
    elif isinstance(value, list):
        for item in value:
            yield from _conditions_used(item)


def _judge_conditions(conditions: Mapping[str, Any], names: Any) -> None:
    needed = {}
    for name, expression in conditions.items():
        unresolved = [reference.name for reference in references(expression) if reference.name not in names]
        if unresolved:
            raise TemplateError(
                f"Template format error: Unresolved dependencies [{', '.join(unresolved)}]. Cannot reference "
                "resources in "
                "the Conditions block of the template"
            )
        used = set(_named_conditions(expression))
        missing = sorted(used - conditions.keys())
        if missing:
            raise TemplateError(
                f"Template format error: Unresolved condition dependency {missing[0]} in the Conditions block "
                "of the template"
            )
        needed[name] = frozenset(used)
    try:
        order(needed)
    except TemplateError as error:
        raise TemplateError(str(error).replace("between resources", "between conditions")) from error


def _named_conditions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "Condition" and isinstance(item, str):
                yield item
            else:
                yield from _named_conditions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _named_conditions(item)
