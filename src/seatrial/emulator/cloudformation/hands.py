"""Doing one thing to one resource: asking its provider, and writing what happened into the stack's events."""

from __future__ import annotations

import logging
import secrets
import threading
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from seatrial.emulator.cloudformation.blueprint import Blueprint, BlueprintScope, tagged
from seatrial.emulator.cloudformation.changes import differing
from seatrial.emulator.cloudformation.dynamic import resolve_references
from seatrial.emulator.cloudformation.errors import ResourceFailed, Stopped, TemplateError
from seatrial.emulator.cloudformation.intrinsics import resolve
from seatrial.emulator.cloudformation.resources import rows
from seatrial.emulator.cloudformation.resources.state_only import REASON, StateOnly
from seatrial.emulator.cloudformation.resources.work import Place, Provider, Waiter, Work
from seatrial.emulator.cloudformation.schemas import Schemas, faults
from seatrial.emulator.cloudformation.stacks import STACK_TYPE, Resource, Stack, Stacks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.emulator.clock import Clock

log = logging.getLogger(__name__)

CANCELLED = "Resource {verb} cancelled"
_FAILURES = (ResourceFailed, TemplateError, ClientError, BotoCoreError, ResponseParserError)
#: What a provider meets when a property has a form that no schema forbids and no API has.
_MISFITS = (AttributeError, KeyError, TypeError, ValueError)


class Hands:
    """All that operations need to work on resources. One for the whole engine."""

    def __init__(self, stacks: Stacks, schemas: Schemas, clock: Clock, client: Callable[[str], Any]) -> None:
        self.stacks = stacks
        self.schemas = schemas
        self.clock = clock
        self._client = client
        self._turns: dict[str, threading.Lock] = {}
        self._turns_lock = threading.Lock()
        self._state_only = StateOnly()
        self.nested: Provider = self._state_only
        self.closing = threading.Event()

    # --- calls -------------------------------------------------------------------------------------------------------

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """Make one AWS call. Calls to the same service take turns: the state behind moto's API has no locks."""
        with self._turns_lock:
            turn = self._turns.setdefault(service, threading.Lock())
        client = self._client(service)
        try:
            with turn:
                answer: dict[str, Any] = getattr(client, operation)(**parameters)
        except ClientError as error:
            error.response.setdefault("Error", {})["Service"] = service.capitalize()  # events name it
            raise
        return answer

    def shapes(self, service: str, operation: str) -> Any:
        """Return the input shape of an operation of botocore's service model."""
        meta = self._client(service).meta
        return meta.service_model.operation_model(meta.method_to_api_mapping[operation]).input_shape

    # --- values ------------------------------------------------------------------------------------------------------

    def provider(self, resource: Resource) -> Provider:
        """Return what stands behind a resource's type, or behind this very resource where a service was missing."""
        if resource.type == STACK_TYPE:
            return self.nested
        if resource.remark:
            return self._state_only
        return rows().get(resource.type) or self._state_only

    def properties(self, blueprint: Blueprint, logical_id: str, scope: LiveScope) -> dict[str, Any]:
        """Return the properties of a resource, resolved but for dynamic references, with the stack's tags."""
        definition = blueprint.resources[logical_id]
        values = resolve(definition.get("Properties") or {}, scope)
        schema = self.schemas.get(str(definition["Type"]))
        name = schema.tags if schema else None
        kind = schema.properties[name].get("type") if schema and name else None
        return tagged(values, blueprint.tags, name, kind)

    def attribute(self, stack: Stack, resource: Resource, name: str) -> Any:
        """Return an attribute of a resource that exists. Raises :class:`TemplateError` for one that its type lacks."""
        if name not in resource.attributes:
            schema = self.schemas.get(resource.type)
            if schema and resource.type != STACK_TYPE and not schema.supports(name):
                raise TemplateError(
                    f"Template error: resource {resource.logical_id} does not support attribute type {name} in "
                    "Fn::GetAtt"
                )
            work = self.work(stack, resource, resource.properties)
            value = self.provider(resource).attribute(work, name)
            if value is None:
                raise TemplateError(
                    f"Template error: resource {resource.logical_id} has no value for attribute {name} in Fn::GetAtt"
                )
            resource.attributes[name] = value
        return resource.attributes[name]

    def place(self, stack: Stack) -> Place:
        """Return where a stack is."""
        _, partition, _, region, account, _ = stack.id.split(":", 5)
        return Place(stack.name, stack.id, region, account, partition)

    def work(self, stack: Stack, resource: Resource, properties: Mapping[str, Any], *, stoppable: bool = False) -> Work:
        """Return a resource as its provider sees it.

        Its waits end when the emulator does, and ``stoppable`` ones when the stack's operation is halted.
        """

        def pause(seconds: float) -> None:
            if self.closing.wait(seconds) or (stoppable and stack.halted):
                raise Stopped

        return Work(
            place=self.place(stack),
            logical_id=resource.logical_id,
            type=resource.type,
            schema=self.schemas.get(resource.type),
            properties=dict(resolve_references(properties, self.call)),
            call=self.call,
            waiter=Waiter(self.clock, pause),
            shapes=self.shapes,
            physical_id=resource.physical_id,
        )

    # --- deeds -------------------------------------------------------------------------------------------------------

    def create(
        self, stack: Stack, resource: Resource, verb: str = "CREATE", why: str = "", *, stoppable: bool = True
    ) -> bool:
        """Create a resource; its events begin with ``verb``. Return whether it is there."""
        self.stacks.resource_event(stack, resource, f"{verb}_IN_PROGRESS", why)

        def deed() -> Work:
            self._judge(resource)
            work = self.work(stack, resource, resource.properties, stoppable=stoppable)
            try:
                self._make(resource, work)
            finally:
                resource.physical_id = work.physical_id
            self._report(stack, resource, work.unapplied)
            return work

        return self._do(stack, resource, verb, deed)

    def update(
        self,
        stack: Stack,
        resource: Resource,
        old: Mapping[str, Any],
        *,
        call: bool = True,
        stoppable: bool = True,
    ) -> bool:
        """Bring a resource from ``old`` properties to its present ones. Return whether it is so."""
        self.stacks.resource_event(stack, resource, "UPDATE_IN_PROGRESS")
        resource.attributes = {}

        def deed() -> Work:
            self._judge(resource)
            work = self.work(stack, resource, resource.properties, stoppable=stoppable)
            if call:
                try:
                    self.provider(resource).update(work, resolve_references(old, self.call))
                finally:
                    resource.physical_id = work.physical_id
                changed = differing(old, resource.properties)
                kept = {path for path in resource.unapplied if path.split(".")[0] in resource.properties}
                self._report(
                    stack,
                    resource,
                    {path for path in kept if path.split(".")[0] not in changed}
                    | {path for path in work.unapplied if path.split(".")[0] in changed},
                )
            return work

        return self._do(stack, resource, "UPDATE", deed)

    def delete(self, stack: Stack, resource: Resource, policy: str = "Delete") -> bool:
        """Delete a resource, or leave it as its policy says. Return whether the stack is rid of it."""
        if resource.gone:
            return True
        if policy.startswith("Retain"):
            self.stacks.resource_event(stack, resource, "DELETE_SKIPPED")
            return True
        self.stacks.resource_event(stack, resource, "DELETE_IN_PROGRESS")

        def deed() -> Work:
            work = self.work(stack, resource, _readable(resource.properties))
            work.snapshot = policy == "Snapshot"
            if resource.physical_id:
                self.provider(resource).delete(work)
            return work

        if not self._do(stack, resource, "DELETE", deed):
            return False
        resource.gone = True
        return True

    def _make(self, resource: Resource, work: Work) -> None:
        try:
            self.provider(resource).create(work)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") != 501 or work.physical_id:
                raise
            # The emulator lacks the call behind this type: say so, as for a type without a row.
            resource.remark = REASON.format(type=resource.type)
            self._state_only.create(work)

    def _report(self, stack: Stack, resource: Resource, unapplied: set[str]) -> None:
        """Say which properties came to nothing, so that none is skipped in silence."""
        new = unapplied - resource.unapplied
        resource.unapplied = frozenset(unapplied)
        for path in sorted(new):
            log.warning("%s of %s (%s) in %s is not applied", path, resource.logical_id, resource.type, stack.name)

    def _judge(self, resource: Resource) -> None:
        schema = self.schemas.get(resource.type)
        found = faults(schema, resource.properties) if schema else []
        if found:
            listed = ", ".join(found)
            raise ResourceFailed(
                f"Properties validation failed for resource {resource.logical_id} with message:\n[{listed}]"
            )

    def _do(self, stack: Stack, resource: Resource, verb: str, deed: Callable[[], Work]) -> bool:
        try:
            work = deed()
        except Stopped:
            words = {"CREATE": "creation", "UPDATE": "update", "DELETE": "deletion"}
            self.stacks.resource_event(stack, resource, f"{verb}_FAILED", CANCELLED.format(verb=words[verb]))
            return False
        except _FAILURES as error:
            log.info("%s of %s in %s failed: %s", verb, resource.logical_id, stack.name, error)
            self.stacks.resource_event(stack, resource, f"{verb}_FAILED", reason(error))
            return False
        except _MISFITS as error:
            log.warning("%s of %s in %s failed", verb, resource.logical_id, stack.name, exc_info=True)
            self.stacks.resource_event(stack, resource, f"{verb}_FAILED", reason(error))
            return False
        self.stacks.resource_event(stack, resource, f"{verb}_COMPLETE", "; ".join(dict.fromkeys(work.remarks)))
        return True


def _readable(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties for a deletion, which must not fail because a secret they refer to is gone already."""
    return {name: value for name, value in properties.items() if "{{resolve:" not in str(value)}


def reason(error: BaseException) -> str:
    """Return an error in the words of a CloudFormation event."""
    if isinstance(error, ClientError):
        answer, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        message, code = answer.get("Message") or str(error), str(answer.get("Code", ""))
        status, service = meta.get("HTTPStatusCode", 400), answer.get("Service", "AWS")
        return (
            f'Resource handler returned message: "{message} (Service: {service}, Status Code: {status}, '
            f'Request ID: {meta.get("RequestId", "-")})" (RequestToken: {secrets.token_hex(16)}, '
            f"HandlerErrorCode: {_handler_code(code)})"
        )
    if isinstance(error, (ResourceFailed, TemplateError)):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _handler_code(code: str) -> str:
    for part, name in (
        ("AlreadyExists", "AlreadyExists"),
        ("AlreadyOwned", "AlreadyExists"),
        ("Duplicate", "AlreadyExists"),
        ("NotFound", "NotFound"),
        ("NoSuch", "NotFound"),
        ("AccessDenied", "AccessDenied"),
        ("Throttl", "Throttling"),
        ("Limit", "ServiceLimitExceeded"),
        ("Internal", "ServiceInternalError"),
    ):
        if part in code:
            return name
    return "InvalidRequest" if code else "GeneralServiceException"


class LiveScope(BlueprintScope):
    """Names in a stack while it is being changed: resources are what they are at this moment."""

    def __init__(self, hands: Hands, stack: Stack, blueprint: Blueprint, imports: set[str]) -> None:
        super().__init__(blueprint)
        self._hands, self._stack, self._imports = hands, stack, imports

    def resource(self, name: str) -> Any:
        """See :class:`~.blueprint.BlueprintScope`."""
        return self._present(name).physical_id

    def get_att(self, name: str, attribute: str) -> Any:
        """See :class:`~.intrinsics.Scope`."""
        return self._hands.attribute(self._stack, self._present(name), attribute)

    def condition(self, name: str) -> bool:
        """See :class:`~.intrinsics.Scope`."""
        decided = self.blueprint.conditions
        return decided[name] if name in decided else super().condition(name)

    def import_value(self, name: str) -> Any:
        """See :class:`~.intrinsics.Scope`."""
        exporter = self._hands.stacks.exporter(name)
        if exporter is None:
            raise TemplateError(f"No export named {name} found.")
        self._imports.add(name)
        return exporter.exports[name]

    def _present(self, name: str) -> Resource:
        resource = self._stack.resources.get(name)
        if resource is None or name not in self.blueprint.resources:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of "
                "the template"
            )
        return resource
