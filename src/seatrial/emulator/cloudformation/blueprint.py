"""What a stack is to be: a template with its parameters, conditions decided, resources in order. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.graph import dependencies, judge_references, order
from seatrial.emulator.cloudformation.intrinsics import evaluate, resolve, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.emulator.cloudformation.parameters import Parameter
    from seatrial.emulator.cloudformation.resources.work import Place
    from seatrial.emulator.cloudformation.schemas import Schemas
    from seatrial.emulator.cloudformation.template import Template


@dataclass(frozen=True)
class Blueprint:
    """One version of a stack. ``zones`` gives the availability zones of a region."""

    template: Template
    parameters: Mapping[str, Parameter]
    place: Place
    zones: Callable[[str], list[str]]
    tags: Mapping[str, str] = field(default_factory=dict)
    notifications: tuple[str, ...] = ()

    @cached_property
    def conditions(self) -> dict[str, bool]:
        """Every condition of the template, decided."""
        scope = BlueprintScope(self)
        decided: dict[str, bool] = {name: scope.condition(name) for name in self.template.section("Conditions")}
        return decided

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources whose condition holds; policies written with functions are resolved."""
        scope = BlueprintScope(self)
        found = {}
        for name, definition in self.template.resources.items():
            if self._exists(definition):
                policies: dict[str, Any] = {
                    key: resolve(definition[key], scope)
                    for key in ("DeletionPolicy", "UpdateReplacePolicy")
                    if key in definition
                }
                found[name] = {**definition, **policies}
        return found

    @cached_property
    def needed(self) -> dict[str, frozenset[str]]:
        """What each resource waits for."""
        return dependencies(self.resources, lambda name: self.conditions[name])

    @cached_property
    def order(self) -> list[str]:
        """The resources, each after what it needs."""
        return order(self.needed)

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """The outputs whose condition holds."""
        return {name: output for name, output in self.template.section("Outputs").items() if self._exists(output)}

    def judge(self, schemas: Schemas) -> None:
        """Refuse what AWS refuses before an operation starts. Raises :class:`TemplateError`."""
        judge_references(self.template)
        unknown = sorted(
            {
                str(resource["Type"])
                for resource in self.template.resources.values()
                if not _known(str(resource["Type"]), schemas)
            }
        )
        if unknown:
            raise TemplateError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
        _ = self.order
        self._judge_rules()

    def _exists(self, definition: Mapping[str, Any]) -> bool:
        condition = definition.get("Condition")
        return self.conditions[condition] if isinstance(condition, str) else True

    def _judge_rules(self) -> None:
        scope = BlueprintScope(self)
        for rule in self.template.section("Rules").values():
            if "RuleCondition" in rule and not evaluate(rule["RuleCondition"], scope):
                continue
            for assertion in rule.get("Assertions", ()):
                if not evaluate(assertion["Assert"], scope):
                    said = assertion.get("AssertDescription", "Template Constraint")
                    raise TemplateError(f"Template error: Rule assertion failed: {said}")


def _known(kind: str, schemas: Schemas) -> bool:
    own = kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"
    return own or not kind.startswith("AWS::") or schemas.get(kind) is not None


class BlueprintScope:
    """Names of parameters, pseudo parameters, conditions and mappings; resources do not exist yet."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint

    def ref(self, name: str) -> Any:
        """See :class:`~.intrinsics.Scope`."""
        place = self.blueprint.place
        if name in self.blueprint.parameters:
            return self.blueprint.parameters[name].value
        pseudo = {
            "AWS::AccountId": place.account,
            "AWS::NotificationARNs": list(self.blueprint.notifications),
            "AWS::Partition": place.partition,
            "AWS::Region": place.region,
            "AWS::StackId": place.stack_id,
            "AWS::StackName": place.stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        return self.resource(name)

    def resource(self, name: str) -> Any:
        """Return what ``Ref`` of a resource gives; none exists here."""
        raise TemplateError(
            f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
        )

    def get_att(self, name: str, attribute: str) -> Any:
        """See :class:`~.intrinsics.Scope`."""
        raise TemplateError(f"Template error: Fn::GetAtt {name}.{attribute} cannot be used here")

    def condition(self, name: str) -> bool:
        """See :class:`~.intrinsics.Scope`."""
        conditions = self.blueprint.template.section("Conditions")
        if name not in conditions:
            raise TemplateError(
                f"Template format error: Unresolved condition dependency {name} in the Resources block of the template"
            )
        return evaluate(conditions[name], self)

    def mapping(self, name: str) -> Mapping[str, Mapping[str, Any]] | None:
        """See :class:`~.intrinsics.Scope`."""
        found: Mapping[str, Mapping[str, Any]] | None = self.blueprint.template.section("Mappings").get(name)
        return found

    def import_value(self, name: str) -> Any:
        """See :class:`~.intrinsics.Scope`."""
        raise TemplateError(f"Template error: Fn::ImportValue {name} cannot be used here")

    def zones(self, region: str) -> list[str]:
        """See :class:`~.intrinsics.Scope`."""
        return self.blueprint.zones(region)


def tagged(properties: dict[str, Any], tags: Mapping[str, str], name: str | None, kind: str | None) -> dict[str, Any]:
    """Return properties with the stack's tags added where the resource takes tags; its own win.

    ``name`` is the type's tag property and ``kind`` that property's JSON type.
    """
    if not tags or name is None:
        return properties
    own = properties.get(name)
    if kind == "object" or isinstance(own, dict):
        return {**properties, name: {**tags, **(own or {})}}
    present = {text(tag["Key"]) for tag in own or []}
    added = [{"Key": key, "Value": value} for key, value in tags.items() if key not in present]
    return {**properties, name: [*(own or []), *added]}
