"""What an update would change, asked before anything happens: the content of a change set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.changes import Change, Detail, Version, compare, replacement
from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.hands import Hands, LiveScope
from seatrial.emulator.cloudformation.intrinsics import Unknown, resolve
from seatrial.emulator.cloudformation.stacks import STACK_TYPE, Resource, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.emulator.cloudformation.blueprint import Blueprint

    #: Looks into a nested stack: logical id, its resource where there is one, properties that it is to have → the id of
    #: the change set that says what changes inside, None where nothing does.
    Inside = Callable[[str, Resource | None, Mapping[str, Any]], str | None]


@dataclass(frozen=True)
class Plan:
    """Changes in the order in which they would be made, and whether the outputs change with them."""

    changes: tuple[Change, ...]
    outputs: bool

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changes and not self.outputs


def plan(hands: Hands, stack: Stack, blueprint: Blueprint, inside: Inside | None = None) -> Plan:
    """Compare a stack with what it is to become. Raises :class:`TemplateError` for what AWS refuses at once.

    Without ``inside`` every nested stack may change: what its template says by now is only read by the update.
    """
    present = {name: resource for name, resource in stack.resources.items() if resource.there}
    if stack.blueprint is None or stack.status == "REVIEW_IN_PROGRESS":
        present = {}
    _judge_types(present, blueprint)
    changed = _changed_parameters(stack, blueprint)
    planned: dict[str, Change] = {}
    scope = _PlanScope(hands, stack, blueprint, planned, present, inside=inside)
    for name in blueprint.order:
        change = _change(hands, name, present.get(name), scope, changed)
        if change:
            planned[name] = change
    removed = [
        Change("Remove", name, resource.type, resource.physical_id, policy=_policy(resource.policy("DeletionPolicy")))
        for name, resource in present.items()
        if name not in blueprint.resources
    ]
    return Plan((*planned.values(), *removed), _outputs_change(stack, blueprint, scope))


def _change(
    hands: Hands,
    name: str,
    resource: Resource | None,
    scope: _PlanScope,
    changed: frozenset[str],
) -> Change | None:
    blueprint = scope.blueprint
    definition = blueprint.resources[name]
    kind = str(definition["Type"])
    look = scope.inside if kind == STACK_TYPE else None
    if resource is None:
        child = look(name, None, hands.properties(blueprint, name, scope)) if look else None
        return Change("Add", name, kind, change_set=child)
    new = Version(definition, hands.properties(blueprint, name, scope))
    child = look(name, resource, new.properties) if look else None
    details = compare(hands.schemas.get(kind), Version(resource.definition, resource.properties), new, changed)
    if kind == STACK_TYPE and not details and (child or not look):
        details = (Detail("Properties", None, "Never", True, "Automatic"),)
    if not details:
        return None
    certain = replacement(details)
    policy = None
    if certain != "False":
        snapshot = {"Delete": "ReplaceAndDelete", "Retain": "ReplaceAndRetain", "Snapshot": "ReplaceAndSnapshot"}
        policy = snapshot.get(resource.policy("UpdateReplacePolicy")) if certain == "True" else None
    return Change("Modify", name, kind, resource.physical_id, certain, details, policy, child)


def _policy(deletion: str) -> str:
    return {"Snapshot": "Snapshot"}.get(deletion, "Retain" if deletion.startswith("Retain") else "Delete")


def _judge_types(present: dict[str, Resource], blueprint: Blueprint) -> None:
    other = sorted(
        name
        for name, resource in present.items()
        if name in blueprint.resources and blueprint.resources[name]["Type"] != resource.type
    )
    if other:
        raise TemplateError(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(other)}]"
        )


def _changed_parameters(stack: Stack, blueprint: Blueprint) -> frozenset[str]:
    before = stack.parameters
    return frozenset(
        name
        for name, parameter in blueprint.parameters.items()
        if name not in before or before[name].value != parameter.value
    )


def _outputs_change(stack: Stack, blueprint: Blueprint, scope: _PlanScope) -> bool:
    """Whether the outputs differ, as written or as they resolve; one not known yet only differs with its resource."""
    if stack.blueprint is None or stack.blueprint.outputs != blueprint.outputs:
        return True
    present = {output["OutputKey"]: output["OutputValue"] for output in stack.outputs}
    for name, definition in blueprint.outputs.items():
        value = resolve(definition["Value"], scope)
        if not isinstance(value, Unknown) and str(value) != present.get(name):
            return True
    return False


class _PlanScope(LiveScope):
    """A live scope in which what is planned to change is not known yet."""

    def __init__(
        self,
        hands: Hands,
        stack: Stack,
        blueprint: Blueprint,
        planned: dict[str, Change],
        present: dict[str, Resource],
        *,
        inside: Inside | None,
    ) -> None:
        super().__init__(hands, stack, blueprint, set())
        self._planned, self._existing, self.inside = planned, present, inside

    def resource(self, name: str) -> Any:
        """See :class:`~.hands.LiveScope`."""
        change = self._planned.get(name)
        if name not in self._existing or (change and change.replacement != "False"):
            return Unknown((name,))
        return super().resource(name)

    def get_att(self, name: str, attribute: str) -> Any:
        """See :class:`~.hands.LiveScope`."""
        if name not in self._existing or name in self._planned:
            return Unknown((f"{name}.{attribute}",))
        return super().get_att(name, attribute)
