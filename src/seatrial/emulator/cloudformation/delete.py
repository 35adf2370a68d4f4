"""Deleting resources in the reverse order of their creation, and deleting a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.emulator.cloudformation.graph import reverse
from seatrial.emulator.cloudformation.walk import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.emulator.cloudformation.hands import Hands
    from seatrial.emulator.cloudformation.stacks import Resource, Stack


def delete(hands: Hands, stack: Stack, retain: frozenset[str] = frozenset()) -> bool:
    """Delete a stack's resources as their policies say, but for those to ``retain``. Return whether it is gone."""
    needed = stack.blueprint.needed if stack.blueprint else {}

    def policy(resource: Resource) -> str:
        return "Retain" if resource.logical_id in retain else resource.policy("DeletionPolicy")

    left = delete_all(hands, stack, needed, policy=policy)
    if left:
        reason = f"The following resource(s) failed to delete: [{', '.join(left)}]. "
        hands.stacks.stack_event(stack, "DELETE_FAILED", reason)
        return False
    stack.outputs, stack.imports = [], set()
    stack.deleted = hands.clock.now()
    hands.stacks.stack_event(stack, "DELETE_COMPLETE")
    return True


def delete_all(
    hands: Hands, stack: Stack, needed: Mapping[str, frozenset[str]], *, policy: Callable[[Resource], str]
) -> list[str]:
    """Delete every resource of a stack, each before what it needs. Return those that could not be deleted."""
    present = {
        name: resource
        for name, resource in stack.resources.items()
        if not resource.gone and resource.status not in {"DELETE_COMPLETE", "DELETE_SKIPPED"}
    }
    among = {name: frozenset(needed.get(name, frozenset()) & present.keys()) for name in present}
    failed = walk(reverse(among), lambda name: hands.delete(stack, present[name], policy(present[name])))
    return sorted(failed)
