"""Updating a stack: new things first, old things last, and the way back.

An update has three parts, so that a nested stack can do each of them when its parent does: :meth:`Update.apply`
creates, changes and replaces in order (a replacement is created before its predecessor goes); :meth:`Update.clean_up`
deletes what is no longer wanted; :meth:`Update.roll_back` restores what was before and deletes what was new. Nothing
that may be needed for the way back is deleted before the whole tree of stacks has succeeded.
"""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING

from seatrial.emulator.cloudformation.changes import POLICIES, Detail, Version, compare, replacement
from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.graph import reverse
from seatrial.emulator.cloudformation.hands import Hands, LiveScope, reason
from seatrial.emulator.cloudformation.outputs import judge_exports, outputs
from seatrial.emulator.cloudformation.resources.row import Row
from seatrial.emulator.cloudformation.stacks import STACK_TYPE, Operation, Resource, Stack
from seatrial.emulator.cloudformation.walk import walk

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.blueprint import Blueprint

NEW_RESOURCE = "Requested update requires the creation of a new physical resource; hence creating one."


class Update:
    """One update of one stack, with what it needs to be taken back."""

    def __init__(self, hands: Hands, stack: Stack, blueprint: Blueprint) -> None:
        assert stack.blueprint is not None
        self._hands, self._stack, self._new, self._old = hands, stack, blueprint, stack.blueprint
        self._before = {name: copy.copy(resource) for name, resource in stack.resources.items() if resource.there}
        self._outputs_before, self._imports_before = stack.outputs, set(stack.imports)
        # What an earlier operation failed to make and left is made anew; its remains go, whatever becomes of this.
        self._made = [resource for resource in stack.resources.values() if resource.status == "CREATE_FAILED"]
        self._obsolete = [(resource, "") for resource in self._made]
        self._touched: set[str] = set()
        self._nested: dict[str, Operation] = {}
        self._lock = threading.Lock()
        self._failed: list[str] = []
        self._back = False

    # --- forward -----------------------------------------------------------------------------------------------------

    def run(self, *, keep_on_failure: bool = False) -> None:
        """Do all of it: apply, then clean up or, on failure, roll back (or stop there, with ``keep_on_failure``)."""
        why = self.apply()
        if why is None:
            self._event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            self.clean_up()
        elif keep_on_failure:
            self._keep(why)
        else:
            self.roll_back(why)

    def apply(self) -> str | None:
        """Create, change and replace. Return None, or why it failed."""
        stack = self._stack
        stack.blueprint, stack.imports = self._new, set(self._imports_before)
        imports: set[str] = set()
        scope = LiveScope(self._hands, stack, self._new, imports)
        needed = {name: self._new.needed[name] for name in self._new.order}
        self._failed = walk(needed, lambda name: self._visit(name, scope), halt=stack.stop)
        if self._failed:
            return f"The following resource(s) failed to {self._verb()}: [{', '.join(self._failed)}]. "
        if stack.stop.is_set():
            return "User Initiated"
        try:
            found = outputs(self._new, scope)
            judge_exports(self._hands.stacks, stack, found)
        except TemplateError as error:
            return str(error)
        stack.outputs, stack.imports = found, imports
        for name in reversed(list(stack.resources)):
            if name not in self._new.resources:
                resource = stack.resources[name]
                if resource.there:
                    self._obsolete.append((resource, "DeletionPolicy"))
        return None

    def clean_up(self) -> None:
        """Delete what was replaced or removed. What cannot be deleted is said, and does not fail the update."""
        stack = self._stack
        for nested in self._nested.values():
            nested.clean_up()
        left = self._discard(self._obsolete, self._old)
        for name in [name for name in stack.resources if name not in self._new.resources]:
            del stack.resources[name]
        self._event("UPDATE_COMPLETE", "Update successful. One or more resources could not be deleted." if left else "")
        stack.operation = None

    def _keep(self, why: str) -> None:
        """Leave the stack where the update failed; what failed to change is still to be changed by the next one."""
        for nested in self._nested.values():
            nested.clean_up()
        for name in self._touched & set(self._failed):
            self._stack.resources[name].properties = self._before[name].properties
        self._stack.operation = None
        self._event("UPDATE_FAILED", why)

    def _visit(self, name: str, scope: LiveScope) -> bool:
        hands, stack = self._hands, self._stack
        definition = self._new.resources[name]
        present = self._before.get(name)
        resource = (
            stack.resources[name]
            if present
            else Resource(name, str(definition["Type"]), definition, {}, hands.clock.now())
        )
        try:
            properties = hands.properties(self._new, name, scope)
        except TemplateError as error:
            stack.resources[name] = resource
            hands.stacks.resource_event(stack, resource, f"{'UPDATE' if present else 'CREATE'}_FAILED", reason(error))
            return False
        if present is None:
            resource.properties = properties
            return self._make(resource)
        details = compare(
            hands.schemas.get(resource.type),
            Version(resource.definition, resource.properties),
            Version(definition, properties),
        )
        if resource.type == STACK_TYPE:
            return self._update_nested(resource, definition, properties)
        if not details:
            resource.definition = definition
            return True
        if self._replaces(resource, details):
            return self._replace(resource, definition, properties)
        old, resource.definition, resource.properties = resource.properties, definition, properties
        self._touched.add(name)
        return hands.update(stack, resource, old, call=any(d.attribute not in POLICIES for d in details))

    def _make(self, resource: Resource, why: str = "", verb: str = "CREATE") -> bool:
        with self._lock:
            self._made.append(resource)
            self._stack.resources[resource.logical_id] = resource
        return self._hands.create(self._stack, resource, verb, why)

    def _replaces(self, resource: Resource, details: tuple[Detail, ...]) -> bool:
        certain = replacement(details)
        if certain != "Conditional":
            return certain == "True"
        provider = self._hands.provider(resource)
        return any(detail.recreation == "Conditionally" and provider.replaces(detail.name or "") for detail in details)

    def _replace(self, old: Resource, definition: dict[str, object], properties: dict[str, object]) -> bool:
        hands, stack = self._hands, self._stack
        new = Resource(old.logical_id, old.type, definition, properties, hands.clock.now())
        provider = hands.provider(new)
        name = provider.name if isinstance(provider, Row) else None
        given = properties.get(name.property) if name else None
        if name and name.unique and given is not None and given == old.properties.get(name.property):
            hands.stacks.resource_event(
                stack,
                old,
                "UPDATE_FAILED",
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {given} and update the stack again.",
            )
            return False
        if self._delete_first(old):
            hands.stacks.resource_event(stack, old, "UPDATE_IN_PROGRESS", NEW_RESOURCE)
            if not hands.delete(stack, old):
                return False
            self._before[old.logical_id].gone = True
        else:
            with self._lock:
                self._obsolete.append((self._before[old.logical_id], "UpdateReplacePolicy"))
        return self._make(new, NEW_RESOURCE, "UPDATE")

    def _delete_first(self, resource: Resource) -> bool:
        schema = self._hands.schemas.get(resource.type)
        return bool(schema and schema.document.get("replacementStrategy") == "delete_then_create")

    def _update_nested(self, resource: Resource, definition: dict[str, object], properties: dict[str, object]) -> bool:
        old, resource.definition, resource.properties = resource.properties, definition, properties
        fine = self._hands.update(self._stack, resource, old)
        child = self._hands.stacks.find(resource.physical_id)
        if child and child.operation:
            with self._lock:
                self._nested[resource.logical_id] = child.operation
        return fine

    # --- back --------------------------------------------------------------------------------------------------------

    def roll_back(self, why: str = "", skip: frozenset[str] = frozenset()) -> bool:
        """Restore what was but for ``skip``, delete what was made. Return whether it went well."""
        if self._back:
            return True
        stack = self._stack
        stack.stop.clear()
        self._event("UPDATE_ROLLBACK_IN_PROGRESS", why)
        stack.blueprint, stack.outputs, stack.imports = self._old, self._outputs_before, self._imports_before
        needed = {
            name: self._old.needed[name] & self._before.keys() for name in self._old.order if name in self._before
        }
        failed = walk(needed, lambda name: name in skip or self._restore(name))
        if failed:
            self._event(
                "UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{', '.join(failed)}]. "
            )
            stack.operation = self
            return False
        self._event("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._discard([(resource, "") for resource in reversed(self._made)], self._new)
        for name in [name for name in stack.resources if name not in self._before]:
            del stack.resources[name]
        self._event("UPDATE_ROLLBACK_COMPLETE")
        self._back, stack.operation = True, None
        return True

    def _restore(self, name: str) -> bool:
        hands, stack, before = self._hands, self._stack, self._before[name]
        if name in self._nested:
            nested = self._nested[name]
            resource = stack.resources[name]
            resource.definition, resource.properties, resource.attributes = before.definition, before.properties, {}
            hands.stacks.resource_event(stack, resource, "UPDATE_IN_PROGRESS")
            fine = nested.roll_back()
            hands.stacks.resource_event(stack, resource, "UPDATE_COMPLETE" if fine else "UPDATE_FAILED")
            return fine
        if before.gone:  # deleted before its successor was made: there is only the way of making it again
            made = [resource for resource in self._made if resource.logical_id == name]
            for resource in made:
                hands.delete(stack, resource)
            again = copy.copy(before)
            again.gone, again.physical_id, again.attributes = False, "", {}
            stack.resources[name] = again
            fine = hands.create(stack, again, "UPDATE", stoppable=False)
            before.gone = not fine
            return fine
        if name in self._touched:
            resource = stack.resources[name]
            now, resource.definition, resource.properties = resource.properties, before.definition, before.properties
            fine = hands.update(stack, resource, now, stoppable=False)
            if fine:
                self._touched.discard(name)
            else:
                resource.properties = now  # for the next attempt, which must see that there is something to restore
            return fine
        present = stack.resources.get(name)
        stack.resources[name] = restored = copy.copy(before)
        if present is not None and present.physical_id != before.physical_id:
            hands.stacks.resource_event(stack, restored, "UPDATE_COMPLETE")
        return True

    # --- both --------------------------------------------------------------------------------------------------------

    def _discard(self, resources: list[tuple[Resource, str]], blueprint: Blueprint) -> list[str]:
        """Delete resources in the reverse order of ``blueprint``, each by the policy named with it.

        Return those that are left.
        """
        by_name: dict[str, list[tuple[Resource, str]]] = {}
        for resource, policy in resources:
            by_name.setdefault(resource.logical_id, []).append((resource, policy))
        among = {name: frozenset(blueprint.needed.get(name, frozenset()) & by_name.keys()) for name in by_name}

        def visit(name: str) -> bool:
            done = [
                self._hands.delete(self._stack, resource, resource.policy(policy) if policy else "Delete")
                for resource, policy in by_name[name]
            ]
            return all(done)

        return walk(reverse(among), visit)

    def _verb(self) -> str:
        new = {resource.logical_id for resource in self._made} - self._before.keys()
        return "create" if set(self._failed) <= new else "update"

    def _event(self, status: str, why: str = "") -> None:
        self._hands.stacks.stack_event(self._stack, status, why)
