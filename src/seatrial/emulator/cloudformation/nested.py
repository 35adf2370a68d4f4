"""AWS::CloudFormation::Stack: a stack inside a stack, created, updated in place and deleted with its parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.create import create
from seatrial.emulator.cloudformation.delete import delete
from seatrial.emulator.cloudformation.drafts import Drafts, InsufficientCapabilities
from seatrial.emulator.cloudformation.errors import ResourceFailed, TemplateError
from seatrial.emulator.cloudformation.intrinsics import text, unknowns
from seatrial.emulator.cloudformation.parameters import Given
from seatrial.emulator.cloudformation.plan import plan
from seatrial.emulator.cloudformation.resources.work import generated_name
from seatrial.emulator.cloudformation.update import Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.emulator.cloudformation.blueprint import Blueprint
    from seatrial.emulator.cloudformation.resources.work import Work
    from seatrial.emulator.cloudformation.stacks import Stack


class NestedStacks:
    """The provider of nested stacks."""

    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts
        self._hands = drafts.hands

    def create(self, work: Work) -> None:
        """See :class:`~.resources.work.Provider`. A child that fails is left for its parent's rollback."""
        parent = self._stack(work.place.stack_id)
        child = parent.reviewed.pop(work.logical_id, None) or new_child(self._drafts, parent, work.logical_id)
        child.capabilities, child.disable_rollback = parent.capabilities, parent.disable_rollback
        self._drafts.hands.stacks.add(child)
        work.physical_id = child.id
        blueprint = self._blueprint(work, child)
        self._hands.stacks.stack_event(child, "CREATE_IN_PROGRESS")
        if not create(self._hands, child, blueprint, "DO_NOTHING"):
            raise ResourceFailed(f"Embedded stack {child.id} was not successfully created: {child.reason}".rstrip())

    def update(self, work: Work, old: Mapping[str, Any]) -> None:  # noqa: ARG002  # the child knows what it was
        """See :class:`~.resources.work.Provider`. Cleaning up waits for the parent; see :mod:`.update`."""
        child = self._stack(work.physical_id)
        child.capabilities = self._stack(work.place.stack_id).capabilities
        blueprint = self._blueprint(work, child)
        if plan(self._hands, child, blueprint).empty:
            return
        child.stop.clear()
        child.updated = self._hands.clock.now()
        child.operation = operation = Update(self._hands, child, blueprint)
        self._hands.stacks.stack_event(child, "UPDATE_IN_PROGRESS")
        why = operation.apply()
        if why is None:
            self._hands.stacks.stack_event(child, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            return
        operation.roll_back(why)
        raise ResourceFailed(
            f"Embedded stack {child.id} was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with "
            f"reason: {why}".rstrip()
        )

    def delete(self, work: Work) -> None:
        """See :class:`~.resources.work.Provider`."""
        child = self._hands.stacks.find(work.physical_id)
        if child is None or child.status == "DELETE_COMPLETE":
            return
        users = {name: self._hands.stacks.importers(name) for name in child.exports}
        for name, importers in users.items():
            if importers:
                raise ResourceFailed(f"Export {name} cannot be deleted as it is in use by {' and '.join(importers)}")
        child.stop.clear()
        self._hands.stacks.stack_event(child, "DELETE_IN_PROGRESS")
        if not delete(self._hands, child):
            raise ResourceFailed(f"Embedded stack {child.id} was not successfully deleted: {child.reason}".rstrip())

    def attribute(self, work: Work, name: str) -> Any:
        """See :class:`~.resources.work.Provider`: ``Outputs.X``."""
        if name == "StackId":
            return work.physical_id
        child = self._stack(work.physical_id)
        wanted = name.removeprefix("Outputs.")
        for output in child.outputs:
            if name.startswith("Outputs.") and output["OutputKey"] == wanted:
                return output["OutputValue"]
        raise TemplateError(f"Output '{wanted}' not found in stack '{child.id}'")

    def replaces(self, name: str) -> bool:  # noqa: ARG002  # of the provider protocol
        """See :class:`~.resources.work.Provider`: a nested stack is never replaced."""
        return False

    def _stack(self, identity: str) -> Stack:
        found = self._hands.stacks.find(identity)
        if found is None:
            raise ResourceFailed(f"Stack with id {identity} does not exist")
        return found

    def _blueprint(self, work: Work, child: Stack) -> Blueprint:
        try:
            return child_blueprint(self._drafts, child, work.properties, child.capabilities)
        except InsufficientCapabilities as error:
            raise ResourceFailed(str(error)) from error


def new_child(drafts: Drafts, parent: Stack, logical_id: str) -> Stack:
    """Return a new stack for a resource of ``parent``, that nobody else sees yet."""
    return drafts.stack(generated_name(parent.name, logical_id, limit=128), parent=parent)


def child_blueprint(
    drafts: Drafts, child: Stack, properties: Mapping[str, Any], capabilities: Iterable[str]
) -> Blueprint:
    """Return what a nested stack is to become by the properties of its resource, some of which may not be known yet.

    Raises :class:`TemplateError` and :class:`InsufficientCapabilities`.
    """
    if unknowns(properties.get("TemplateURL")):
        raise TemplateError("The TemplateURL of a nested stack must be known before a change set is created.")
    parameters = properties.get("Parameters") or {}
    unknown = {
        name: _placeholder(child, causes[0]) for name, value in parameters.items() if (causes := unknowns(value))
    }
    values = {
        name: ",".join(text(item) for item in value) if isinstance(value, list) else text(value)
        for name, value in parameters.items()
        if name not in unknown
    }
    tags = {str(tag["Key"]): text(tag["Value"]) for tag in properties.get("Tags") or []}
    template = drafts.template({"TemplateURL": properties.get("TemplateURL")})
    blueprint = drafts.blueprint(child, template, Given(values, unknown=unknown), tags)
    drafts.judge_capabilities(blueprint, capabilities)
    return blueprint


def _placeholder(child: Stack, cause: str) -> str:
    """Return what a change set shows in the place of a value that only exists once the parent has changed."""
    parent = child.parent.id if child.parent else child.id
    return f"{{{{IntrinsicFunction:{parent}/{cause}/{'Fn::GetAtt' if '.' in cause else 'Ref'}}}}}"
