"""Creating a stack, and taking it back when a resource fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.emulator.cloudformation.delete import delete_all
from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.hands import Hands, LiveScope, reason
from seatrial.emulator.cloudformation.outputs import judge_exports, outputs
from seatrial.emulator.cloudformation.stacks import Resource, Stack
from seatrial.emulator.cloudformation.walk import walk

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.blueprint import Blueprint


def create(hands: Hands, stack: Stack, blueprint: Blueprint, on_failure: str = "ROLLBACK") -> bool:
    """Create everything in order. Return whether all of it is there.

    ``on_failure`` is ROLLBACK, DELETE or DO_NOTHING.
    """
    stack.blueprint = blueprint
    stack.imports = set()
    scope = LiveScope(hands, stack, blueprint, stack.imports)

    def visit(name: str) -> bool:
        definition = blueprint.resources[name]
        resource = Resource(name, str(definition["Type"]), definition, {}, hands.clock.now())
        stack.resources[name] = resource
        try:
            resource.properties = hands.properties(blueprint, name, scope)
        except TemplateError as error:
            hands.stacks.resource_event(stack, resource, "CREATE_FAILED", reason(error))
            return False
        return hands.create(stack, resource)

    failed = walk({name: blueprint.needed[name] for name in blueprint.order}, visit, halt=stack.stop)
    why = f"The following resource(s) failed to create: [{', '.join(failed)}]. " if failed else ""
    if not why:
        try:
            found = outputs(blueprint, scope)
            judge_exports(hands.stacks, stack, found)
        except TemplateError as error:
            why = f"{error} "
        else:
            stack.outputs = found
            hands.stacks.stack_event(stack, "CREATE_COMPLETE")
            return True
    _take_back(hands, stack, blueprint, why, on_failure)
    return False


def _take_back(hands: Hands, stack: Stack, blueprint: Blueprint, why: str, on_failure: str) -> None:
    stack.stop.clear()
    if on_failure == "DO_NOTHING":
        hands.stacks.stack_event(stack, "CREATE_FAILED", why)
        return
    begun, ended = ("DELETE", "DELETE_COMPLETE") if on_failure == "DELETE" else ("ROLLBACK", "ROLLBACK_COMPLETE")
    asked = "Delete requested by user." if on_failure == "DELETE" else "Rollback requested by user."
    hands.stacks.stack_event(stack, f"{begun}_IN_PROGRESS", why + asked)
    left = delete_all(hands, stack, blueprint.needed, policy=_policy)
    stack.imports = set()
    if left:
        reason_left = f"The following resource(s) failed to delete: [{', '.join(left)}]. "
        hands.stacks.stack_event(stack, f"{begun}_FAILED", reason_left)
        return
    hands.stacks.stack_event(stack, ended)
    if on_failure == "DELETE":
        stack.deleted = hands.clock.now()


def _policy(resource: Resource) -> str:
    """Return what the rollback of a creation does: RetainExceptOnCreate deletes, and no data needs a snapshot yet."""
    policy = resource.policy("DeletionPolicy")
    return "Retain" if policy == "Retain" else "Delete"
