"""Working out a change set, and with it those of the nested stacks.

Nested change sets only say what will happen: the root's execution updates the nested stacks as any update does, and
reads their templates then.

Source: CloudFormation user guide, "Change sets for nested stacks".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.changesets import NO_CHANGES, ChangeSet, change_set_id
from seatrial.emulator.cloudformation.drafts import Drafts, InsufficientCapabilities
from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.nested import child_blueprint, new_child
from seatrial.emulator.cloudformation.plan import plan
from seatrial.emulator.cloudformation.resources.work import generated_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.emulator.cloudformation.blueprint import Blueprint
    from seatrial.emulator.cloudformation.stacks import Resource, Stack

CHILD_FAILED = "Nested change set {id} was not successfully created: Currently in FAILED."


@dataclass(frozen=True)
class Wish:
    """What CreateChangeSet was asked, apart from the stack and what it is to become."""

    name: str
    kind: str
    capabilities: tuple[str, ...] = ()
    description: str = ""
    on_failure: str = ""
    include_nested: bool = False


def review(drafts: Drafts, stack: Stack, blueprint: Blueprint, wish: Wish) -> ChangeSet:
    """Return the change set that brings ``stack`` to ``blueprint``, with those of nested stacks where they are wished.

    Nobody else sees any of it yet. Raises :class:`TemplateError` for what AWS refuses at once; what it finds wrong in a
    nested stack fails that one's change set, and with it those around.
    """
    change_set = _begun(drafts, stack, wish, parent=None)
    _Review(drafts, change_set, wish.include_nested).to(blueprint)
    return change_set


class _Review:
    """The work on one change set."""

    def __init__(self, drafts: Drafts, change_set: ChangeSet, include_nested: bool) -> None:
        self._drafts, self._change_set, self._include_nested = drafts, change_set, include_nested

    def to(self, blueprint: Blueprint) -> None:
        """Find what is to change, and say so in the change set."""
        change_set = self._change_set
        change_set.blueprint = blueprint
        inside = self._inside if self._include_nested else None
        planned = plan(self._drafts.hands, change_set.stack, blueprint, inside)
        change_set.changes = planned.changes
        failed = [child for child in change_set.children if child.status == "FAILED"]
        if failed:
            change_set.fail(CHILD_FAILED.format(id=failed[0].id))
        elif planned.empty and change_set.kind == "UPDATE":
            change_set.fail(NO_CHANGES)

    def _inside(self, logical_id: str, resource: Resource | None, properties: Mapping[str, Any]) -> str | None:
        """See :data:`~.plan.Inside`."""
        stack = self._stack(logical_id, resource)
        kind = "CREATE" if stack.blueprint is None else "UPDATE"
        parent = self._change_set
        name = generated_name(parent.name, logical_id, limit=128)
        wish = Wish(name, kind, tuple(parent.capabilities), parent.description, parent.on_failure, include_nested=True)
        child = _begun(self._drafts, stack, wish, parent=parent)
        try:
            blueprint = child_blueprint(self._drafts, stack, properties, wish.capabilities)
            _Review(self._drafts, child, include_nested=True).to(blueprint)
        except (TemplateError, InsufficientCapabilities) as error:
            child.fail(str(error))
        if child.reason == NO_CHANGES:
            return None
        parent.children.append(child)
        return child.id

    def _stack(self, logical_id: str, resource: Resource | None) -> Stack:
        """Return a nested stack; one that is to be created is the same in all change sets that speak of it."""
        parent = self._change_set.stack
        found = self._drafts.hands.stacks.find(resource.physical_id) if resource else parent.reviewed.get(logical_id)
        if found is None:
            found = parent.reviewed[logical_id] = new_child(self._drafts, parent, logical_id)
        return found


def _begun(drafts: Drafts, stack: Stack, wish: Wish, *, parent: ChangeSet | None) -> ChangeSet:
    place = drafts.hands.place(stack)
    return ChangeSet(
        name=wish.name,
        id=change_set_id(place.region, place.account, wish.name),
        stack=stack,
        kind=wish.kind,
        blueprint=None,
        created=drafts.hands.clock.now(),
        capabilities=list(wish.capabilities),
        include_nested=wish.include_nested,
        parent=parent,
        description=wish.description,
        on_failure=wish.on_failure,
    )
