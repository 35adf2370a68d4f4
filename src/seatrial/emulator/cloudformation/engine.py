"""The engine: operations on stacks, each begun at once and carried out in the background."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.api import Api
from seatrial.emulator.cloudformation.changesets import ChangeSet, ChangeSets
from seatrial.emulator.cloudformation.create import create
from seatrial.emulator.cloudformation.delete import delete
from seatrial.emulator.cloudformation.drafts import Drafts, InsufficientCapabilities
from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.hands import Hands
from seatrial.emulator.cloudformation.hierarchy import Wish, review
from seatrial.emulator.cloudformation.nested import NestedStacks
from seatrial.emulator.cloudformation.parameters import given
from seatrial.emulator.cloudformation.plan import plan
from seatrial.emulator.cloudformation.requests import Request, refuse
from seatrial.emulator.cloudformation.resources.state_only import REASON, StateOnly
from seatrial.emulator.cloudformation.schemas import Schemas
from seatrial.emulator.cloudformation.stacks import UPDATABLE, Resource, Stack, Stacks
from seatrial.emulator.cloudformation.update import Update
from seatrial.emulator.front.actions import Action, ApiError, install

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.cloudformation.blueprint import Blueprint
    from seatrial.emulator.settings import EmulatorSettings

log = logging.getLogger(__name__)


class CloudFormationEngine:
    """CloudFormation on this machine.

    ``client`` gives a cached boto3 client of a service on the emulator's own endpoint. :meth:`install` puts the engine
    in the place of moto's; :meth:`stop` ends what is under way.
    """

    def __init__(self, settings: EmulatorSettings, clock: Clock, client: Callable[[str], Any]) -> None:
        self.settings = settings
        self.clock = clock
        self.stacks = Stacks(clock)
        self.change_sets = ChangeSets(self.stacks)
        self.hands = Hands(self.stacks, Schemas(settings.region), clock, client)
        self.drafts = Drafts(self.hands, settings)
        self.hands.nested = NestedStacks(self.drafts)
        self._turn = threading.RLock()
        self._threads: list[threading.Thread] = []

    def actions(self) -> dict[str, Action]:
        """Return the API, action name → function, for ``front.actions.install``."""
        return Api(self).actions()

    def install(self) -> None:
        """Take over CloudFormation's API from moto, whose transformers expect objects of its own."""
        from moto.cloudformation.responses import CloudFormationResponse

        CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER = {}
        install(CloudFormationResponse, self.actions())

    def stop(self) -> None:
        """End every operation under way and wait for it."""
        self.hands.closing.set()
        for thread in list(self._threads):
            thread.join(timeout=5)

    def state_only(self) -> list[tuple[str, str, str]]:
        """Return (stack, logical id, type) of every resource that is state and nothing more."""
        return [
            (stack.name, resource.logical_id, resource.type)
            for stack in self.stacks.alive()
            for resource in stack.resources.values()
            if not resource.gone and self.remark(resource)
        ]

    def unapplied(self) -> list[tuple[str, str, str]]:
        """Return (stack, logical id, path) of every property that the emulator could do nothing with."""
        return [
            (stack.name, resource.logical_id, path)
            for stack in self.stacks.alive()
            for resource in stack.resources.values()
            if not resource.gone
            for path in sorted(resource.unapplied)
        ]

    def remark(self, resource: Resource) -> str:
        """Return what must be said of a resource that is state only, nothing for all others."""
        return REASON.format(type=resource.type) if isinstance(self.hands.provider(resource), StateOnly) else ""

    # --- operations --------------------------------------------------------------------------------------------------

    def create_stack(self, request: Request) -> Stack:
        """Begin to create a stack."""
        name = str(request["StackName"])
        judge_name(name)
        with self._turn:
            if self.stacks.find(name):
                raise ApiError("AlreadyExistsException", f"Stack [{name}] already exists")
            stack = self.drafts.stack(name)
            blueprint = self._blueprint(stack, request, template=None)
            self._settle_request(stack, request)
            on_failure = _on_failure(request)
            self.stacks.add(stack)
            self._begin_create(stack, blueprint, on_failure)
        return stack

    def update_stack(self, request: Request) -> Stack:
        """Begin to update a stack."""
        with self._turn:
            stack = self._updatable(str(request["StackName"]))
            blueprint = self._blueprint(stack, request, template=stack.blueprint)
            try:
                planned = plan(self.hands, stack, blueprint)
            except TemplateError as error:
                raise refuse(str(error)) from error
            if planned.empty:
                raise refuse("No updates are to be performed.")
            self._settle_request(stack, request)
            self._begin_update(stack, blueprint, keep_on_failure=bool(request.get("DisableRollback")))
        return stack

    def delete_stack(self, request: Request) -> None:
        """Begin to delete a stack; one that does not exist is deleted."""
        with self._turn:
            stack = self.stacks.find(str(request["StackName"]))
            if stack is None or stack.status in {"DELETE_COMPLETE", "DELETE_IN_PROGRESS"}:
                return
            if stack.root.protected:
                raise refuse(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
            if stack.busy:
                raise refuse(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
            retain = frozenset(request.get("RetainResources") or ())
            if retain and stack.status != "DELETE_FAILED":
                raise refuse(
                    f"Invalid operation on stack [{stack.id}]. Specify which resources to retain only when the "
                    "stack is "
                    "in the DELETE_FAILED state."
                )
            before = stack.status
            stack.token = str(request.get("ClientRequestToken") or "")
            self.stacks.stack_event(stack, "DELETE_IN_PROGRESS", "User Initiated")
            used = {name: self.stacks.importers(name) for name in stack.exports}
            blocked = next((name for name, users in used.items() if users), None)
            if blocked:
                users = " and ".join(used[blocked])
                self.stacks.stack_event(stack, before, f"Export {blocked} cannot be deleted as it is in use by {users}")
                return
            for change_set in self.change_sets.of(stack):
                self.change_sets.drop(change_set)
            stack.stop.clear()
            self._background(stack, lambda: _ignore(delete(self.hands, stack, retain)))

    def continue_rollback(self, request: Request) -> None:
        """Try a failed rollback of an update again."""
        with self._turn:
            stack = self.existing(str(request["StackName"]))
            operation = stack.operation
            if stack.status != "UPDATE_ROLLBACK_FAILED" or operation is None:
                raise refuse(f"Stack [{stack.name}] is in {stack.status} state and can not continue its rollback.")
            skip = frozenset(request.get("ResourcesToSkip") or ())
            self._background(stack, lambda: _ignore(operation.roll_back("", skip)))
            stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"

    def cancel_update(self, request: Request) -> None:
        """Give up the update under way; it rolls back."""
        with self._turn:
            stack = self.existing(str(request["StackName"]))
            if stack.status != "UPDATE_IN_PROGRESS":
                raise refuse("CancelUpdateStack cannot be called from current stack status")
            stack.stop.set()

    # --- change sets -------------------------------------------------------------------------------------------------

    def create_change_set(self, request: Request) -> ChangeSet:
        """Work out what a request would change and keep it for execution."""
        name, kind = str(request["StackName"]), str(request.get("ChangeSetType") or "UPDATE")
        if kind not in {"CREATE", "UPDATE"}:
            raise refuse(f"The emulator makes no change sets of type {kind}.")
        with self._turn:
            stack = self.stacks.find(name)
            fresh = stack is None
            if kind == "CREATE":
                if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                    raise refuse(
                        f"Stack [{name}] already exists and cannot be created again with the changeSet "
                        f"[{request['ChangeSetName']}]."
                    )
                judge_name(name)
                stack = stack or self.drafts.stack(name)
            else:
                stack = self._updatable(name)
            if self.change_sets.find(str(request["ChangeSetName"]), stack):
                raise ApiError("AlreadyExistsException", f"ChangeSet {request['ChangeSetName']} already exists")
            template = stack.blueprint if kind == "UPDATE" else None
            blueprint = self._blueprint(stack, request, template=template)
            wish = Wish(
                str(request["ChangeSetName"]),
                kind,
                tuple(request.get("Capabilities") or ()),
                str(request.get("Description") or ""),
                str(request.get("OnStackFailure") or ""),
                bool(request.get("IncludeNestedStacks")),
            )
            try:
                change_set = review(self.drafts, stack, blueprint, wish)
            except TemplateError as error:
                raise refuse(str(error)) from error
            if kind == "CREATE" and fresh:
                self.stacks.add(stack)
                self.stacks.stack_event(stack, "REVIEW_IN_PROGRESS", "User Initiated")
            self.change_sets.add(change_set)
        return change_set

    def execute_change_set(self, change_set: ChangeSet, request: Request) -> None:
        """Begin what a change set says, in nested stacks too."""
        with self._turn:
            _judge_root(change_set, "execute")
            stack, blueprint = change_set.stack, change_set.blueprint
            if blueprint is None or change_set.execution != "AVAILABLE":
                raise ApiError(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{change_set.id}] cannot be executed in its current execution status of "
                    f"[{change_set.execution}]",
                )
            if stack.busy:
                raise refuse(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
            stack.token = str(request.get("ClientRequestToken") or "")
            stack.capabilities = change_set.capabilities
            stack.notifications = list(blueprint.notifications)
            keep = bool(request.get("DisableRollback")) or change_set.on_failure == "DO_NOTHING"
            self.change_sets.executed(change_set)
            if change_set.kind == "CREATE":
                stack.disable_rollback = keep
                self._begin_create(stack, blueprint, "DO_NOTHING" if keep else change_set.on_failure or "ROLLBACK")
            else:
                self._begin_update(stack, blueprint, keep_on_failure=keep)

    def delete_change_set(self, change_set: ChangeSet) -> None:
        """Drop a change set, and those of nested stacks with it."""
        with self._turn:
            _judge_root(change_set, "delete")
            self.change_sets.drop(change_set)

    # --- looking -----------------------------------------------------------------------------------------------------

    def existing(self, name: str, message: str = "Stack [{name}] does not exist") -> Stack:
        """Return a stack by name or id. Raises ``ValidationError`` with ``message``."""
        stack = self.stacks.find(name)
        if stack is None:
            raise refuse(message.format(name=name))
        return stack

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _updatable(self, name: str) -> Stack:
        stack = self.existing(name)
        if stack.status == "DELETE_COMPLETE":
            raise refuse(f"Stack [{name}] does not exist")
        if stack.status not in UPDATABLE or stack.blueprint is None:
            raise refuse(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        return stack

    def _blueprint(self, stack: Stack, request: Request, *, template: Blueprint | None) -> Blueprint:
        """Return what a request makes of a stack. ``template`` is its present blueprint, None where it has none."""
        if request.get("Tags") is not None:
            tags = {str(tag["Key"]): str(tag["Value"]) for tag in request["Tags"]}
        else:
            tags = dict(template.tags) if template else {}
        notifications = request.get("NotificationARNs")
        kept = template.notifications if template and notifications is None else notifications or ()
        previous = template.template if template and request.get("UsePreviousTemplate") else None
        try:
            chosen = previous or self.drafts.template(request)
            blueprint = self.drafts.blueprint(stack, chosen, given(request.get("Parameters")), tags, kept)
            self.drafts.judge_capabilities(blueprint, request.get("Capabilities") or ())
        except TemplateError as error:
            raise refuse(str(error)) from error
        except InsufficientCapabilities as error:
            raise ApiError("InsufficientCapabilitiesException", str(error)) from error
        return blueprint

    def _settle_request(self, stack: Stack, request: Request) -> None:
        stack.capabilities = list(request.get("Capabilities") or ())
        stack.token = str(request.get("ClientRequestToken") or "")
        stack.role = str(request.get("RoleARN") or stack.role)
        stack.disable_rollback = bool(request.get("DisableRollback"))
        if "EnableTerminationProtection" in request:
            stack.protected = bool(request["EnableTerminationProtection"])
        if request.get("TimeoutInMinutes"):
            stack.timeout_minutes = int(request["TimeoutInMinutes"])

    def _begin_create(self, stack: Stack, blueprint: Blueprint, on_failure: str) -> None:
        stack.blueprint, stack.stop = blueprint, threading.Event()
        self.stacks.stack_event(stack, "CREATE_IN_PROGRESS", "User Initiated")
        self._background(stack, lambda: _ignore(create(self.hands, stack, blueprint, on_failure)))

    def _begin_update(self, stack: Stack, blueprint: Blueprint, *, keep_on_failure: bool) -> None:
        stack.stop.clear()
        stack.updated = self.clock.now()
        stack.operation = operation = Update(self.hands, stack, blueprint)
        self.stacks.stack_event(stack, "UPDATE_IN_PROGRESS", "User Initiated")
        self._background(stack, lambda: operation.run(keep_on_failure=keep_on_failure))

    def _background(self, stack: Stack, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception:  # the edge of the thread: the stack must not look busy for ever
                log.exception("the operation on stack %s broke off", stack.name)
                failed = stack.status.removesuffix("_IN_PROGRESS").removesuffix("_CLEANUP").removesuffix("_COMPLETE")
                self.stacks.stack_event(stack, f"{failed}_FAILED", "Internal Failure; the emulator's log says where.")

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=run, name=f"cloudformation-{stack.name}", daemon=True)
        self._threads.append(thread)
        thread.start()


def judge_name(name: str) -> None:
    """Refuse what is no name of a stack. Raises ``ValidationError``."""
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]*", name):
        raise refuse(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member "
            "must satisfy "
            "regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    if len(name) > 128:
        raise refuse(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member "
            "must have "
            "length less than or equal to 128"
        )


def _judge_root(change_set: ChangeSet, verb: str) -> None:
    if change_set.parent:
        raise refuse(
            f"ChangeSet [{change_set.id}] is that of a nested stack; {verb} its root change set "
            f"[{change_set.root.id}] instead."
        )


def _on_failure(request: Request) -> str:
    if request.get("OnFailure") and request.get("DisableRollback") is not None:
        raise refuse("You can specify only one of DisableRollback and OnFailure.")
    if request.get("DisableRollback"):
        return "DO_NOTHING"
    return str(request.get("OnFailure") or "ROLLBACK")


def _ignore(_: bool) -> None:
    """The outcome of an operation is the stack's status."""
