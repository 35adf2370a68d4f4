"""The resource graph: CloudFormation's vocabulary as typed, frozen values.

A :class:`Bundle` is one root stack and its nested ones. Properties are plain dictionaries and lists whose leaves are
literals or the function values below. :class:`Noted` carries the reason of a chosen value along, so that a renderer
can write it next to the value. :func:`check` proves that every reference resolves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

#: A literal, a function value, or a list or dictionary of values.
Value = Any


@dataclass(frozen=True)
class Ref:
    """``Ref`` to a resource, a parameter or a pseudo parameter."""

    name: str


@dataclass(frozen=True)
class GetAtt:
    """``Fn::GetAtt`` of a resource of the same template."""

    resource: str
    attribute: str


@dataclass(frozen=True)
class Sub:
    """``Fn::Sub``; ``${Name}`` is one of ``variables`` or else a reference."""

    text: str
    variables: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True)
class ImportValue:
    """``Fn::ImportValue`` of an export of another stack."""

    name: str


@dataclass(frozen=True)
class Join:
    """``Fn::Join``."""

    delimiter: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Split:
    """``Fn::Split``."""

    delimiter: str
    value: Value


@dataclass(frozen=True)
class Select:
    """``Fn::Select``."""

    index: int
    value: Value


@dataclass(frozen=True)
class Cidr:
    """``Fn::Cidr``: ``count`` blocks of ``bits`` host bits in ``block``."""

    block: Value
    count: int
    bits: int


@dataclass(frozen=True)
class GetAZs:
    """``Fn::GetAZs`` of the stack's own region."""


@dataclass(frozen=True)
class If:
    """``Fn::If``."""

    condition: str
    then: Value
    otherwise: Value


@dataclass(frozen=True)
class Equals:
    """``Fn::Equals``, for conditions."""

    left: Value
    right: Value


@dataclass(frozen=True)
class Not:
    """``Fn::Not``, for conditions."""

    condition: Value


@dataclass(frozen=True)
class NestedTemplate:
    """Where the template of a nested stack lies; the renderer decides what that means."""

    name: str


@dataclass(frozen=True)
class Noted:
    """``value``, and in a sentence why it is this one."""

    value: Value
    why: str


NO_VALUE = Ref("AWS::NoValue")


@dataclass(frozen=True)
class Resource:
    """One resource. ``why`` is a comment on the whole of it."""

    type: str
    properties: Mapping[str, Value] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: str | None = None
    update_replace_policy: str | None = None
    why: str | None = None


@dataclass(frozen=True)
class Parameter:
    """One template parameter."""

    description: str
    type: str = "String"
    default: str | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Output:
    """One output. ``export`` is the name under which other stacks import it."""

    description: str
    value: Value
    export: str | None = None


@dataclass(frozen=True)
class Template:
    """One template file, ``name`` without its ending."""

    name: str
    description: str
    resources: Mapping[str, Resource]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    conditions: Mapping[str, Value] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)


@dataclass(frozen=True)
class Bundle:
    """A root stack and the templates nested in it. ``layer`` is ``base`` or ``app``; ``stack`` is its name on AWS."""

    layer: str
    stack: str
    root: Template
    nested: tuple[Template, ...]

    @property
    def templates(self) -> tuple[Template, ...]:
        """The root and then the nested ones."""
        return (self.root, *self.nested)


_PSEUDO = ("AWS::AccountId", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackName", "AWS::URLSuffix")
_SUB_NAME = re.compile(r"\$\{(?!!)([^}]+)\}")


def values(value: Value) -> Iterator[Value]:
    """Yield ``value`` and everything in it, depth first."""
    yield value
    for child in _children(value):
        yield from values(child)


def references(value: Value) -> Iterator[Ref | GetAtt]:
    """Yield every reference in ``value``; those inside the text of a ``Sub`` too."""
    for item in values(value):
        if isinstance(item, (Ref, GetAtt)):
            yield item
        elif isinstance(item, Sub):
            own = {name for name, _ in item.variables}
            for name in _SUB_NAME.findall(item.text):
                if name not in own:
                    resource, dot, attribute = name.partition(".")
                    yield GetAtt(resource, attribute) if dot else Ref(name)


def parameters_needed(resources: Mapping[str, Resource], *others: Value) -> list[str]:
    """Return the names that are referred to and are neither one of ``resources`` nor a pseudo parameter, sorted."""
    everything: list[Value] = [*(resource.properties for resource in resources.values()), *others]
    found = {item.name for item in references(everything) if isinstance(item, Ref)}
    return sorted(found - set(resources) - set(_PSEUDO))


def check(bundle: Bundle) -> None:
    """Prove that a bundle hangs together.

    Raises ``ValueError`` for a reference, dependency, condition or nested output that does not exist, and for a
    parameter that is passed and not declared, declared and not passed, or never used.
    """
    nested = {template.name: template for template in bundle.nested}
    for template in bundle.templates:
        _check_template(template)
        for logical_id, resource in template.resources.items():
            if resource.type == "AWS::CloudFormation::Stack":
                _check_nested(template, logical_id, resource, nested)


def _everything(template: Template) -> list[Value]:
    outputs = [output.value for output in template.outputs.values()]
    return [*(resource.properties for resource in template.resources.values()), *template.conditions.values(), *outputs]


def _check_template(template: Template) -> None:
    known = {*template.resources, *template.parameters, *_PSEUDO}
    used: set[str] = set()
    everything = _everything(template)
    for item in references(everything):
        name = item.name if isinstance(item, Ref) else item.resource
        used.add(name)
        if name not in (known if isinstance(item, Ref) else template.resources):
            raise ValueError(f"{template.name}: nothing is called {name}")
    for item in values(everything):
        if isinstance(item, If) and item.condition not in template.conditions:
            raise ValueError(f"{template.name}: there is no condition {item.condition}")
    for logical_id, resource in template.resources.items():
        for name in resource.depends_on:
            if name not in template.resources:
                raise ValueError(f"{template.name}: {logical_id} depends on {name}, which does not exist")
        if resource.condition is not None and resource.condition not in template.conditions:
            raise ValueError(f"{template.name}: there is no condition {resource.condition}")
    unused = sorted(set(template.parameters) - used)
    if unused:
        raise ValueError(f"{template.name}: nothing uses the parameters {unused}")


def _check_nested(template: Template, logical_id: str, resource: Resource, nested: Mapping[str, Template]) -> None:
    url = resource.properties["TemplateURL"]
    child = nested.get(url.name)
    if child is None:
        raise ValueError(f"{template.name}: {logical_id} has no template {url.name}")
    passed, declared = set(resource.properties.get("Parameters", {})), set(child.parameters)
    if passed != declared:
        raise ValueError(f"{template.name}: {logical_id} is passed {sorted(passed)} and declares {sorted(declared)}")
    for item in values(_everything(template)):
        if isinstance(item, GetAtt) and item.resource == logical_id:
            kind, _, output = item.attribute.partition(".")
            if kind != "Outputs" or output not in child.outputs:
                raise ValueError(f"{template.name}: {logical_id} has no output {item.attribute}")


def _children(value: Value) -> Sequence[Value]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, (list, tuple)):
        return value
    if is_dataclass(value):
        return [getattr(value, each.name) for each in fields(value)]
    return ()
