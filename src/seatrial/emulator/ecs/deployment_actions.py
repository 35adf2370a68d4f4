"""The API actions on service deployments and service revisions."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs.paging import page
from seatrial.emulator.ecs.refusals import invalid
from seatrial.emulator.ecs.shapes import revision_shape, service_deployment_brief, service_deployment_shape
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World
    from seatrial.emulator.front.actions import Action

_HOOK = re.compile(r"ecs-[a-z]+-.+")
#: Both Describe actions take at most twenty ARNs.
MOST_DESCRIBED = 20


class DeploymentActions:
    """The actions, over one state."""

    def __init__(self, world: World, state: State) -> None:
        self._world = world
        self._state = state

    def actions(self) -> dict[str, Action]:
        """Return the actions by moto's method names."""
        return {
            "list_service_deployments": self._list,
            "describe_service_deployments": self._describe,
            "describe_service_revisions": self._describe_revisions,
            "stop_service_deployment": self._stop,
            "continue_service_deployment": self._continue,
        }

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._world.surroundings.cluster(request.get("cluster"))
        statuses = set(request.get("status") or ())
        created = request.get("createdAt") or {}
        after, before = _moment(created.get("after")), _moment(created.get("before"))
        with self._world.lock:
            service = self._state.service(cluster, request["service"])
            briefs = [
                service_deployment_brief(service, record)
                for record in service.history
                if (not statuses or record.status in statuses)
                and (after is None or record.created_at > after)
                and (before is None or record.created_at < before)
            ]
        return page("serviceDeployments", briefs, request, default=20)

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        arns = _few(request.get("serviceDeploymentArns"), "serviceDeploymentArns")
        found, failures = [], []
        with self._world.lock:
            for arn in arns:
                known = self._state.service_deployment(arn)
                if known is None:
                    failures.append({"arn": arn, "reason": "MISSING"})
                else:
                    service, record = known
                    found.append(service_deployment_shape(service, record, self._state.tasks_of(service)))
        return {"serviceDeployments": found, "failures": failures}

    def _describe_revisions(self, request: dict[str, Any]) -> dict[str, Any]:
        arns = _few(request.get("serviceRevisionArns"), "serviceRevisionArns")
        found, failures = [], []
        with self._world.lock:
            for arn in arns:
                known = self._state.revisions.get(arn)
                if known is None:
                    failures.append({"arn": arn, "reason": "MISSING"})
                else:
                    found.append(revision_shape(*known))
        return {"serviceRevisions": found, "failures": failures}

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """Roll back, or stop where it is (ABORT). What is in CLEAN_UP has nothing left to go back to."""
        arn, aborts = request["serviceDeploymentArn"], request.get("stopType") == "ABORT"
        with self._world.lock:
            known = self._state.service_deployment(arn)
            if known is None:
                raise ApiError("ServiceDeploymentNotFoundException", "The service deployment was not found.")
            _, record = known
            if not record.running:
                raise ApiError("ConflictException", f"The service deployment is already {record.status}.")
            position = record.rollout.position if record.rollout else None
            if position and position.stage == "CLEAN_UP" and not position.back:
                raise ApiError("ConflictException", "The service deployment is in CLEAN_UP and cannot be stopped.")
            if record.status in {"PENDING", "IN_PROGRESS"}:
                record.status = "STOP_REQUESTED" if aborts else "ROLLBACK_REQUESTED"
                record.updated_at = self._world.clock.now()
        self._world.wake.set()
        return {"serviceDeploymentArn": arn}

    def _continue(self, request: dict[str, Any]) -> dict[str, Any]:
        """Let a deployment that a PAUSE hook holds go on, or roll it back."""
        arn, identifier = request["serviceDeploymentArn"], request["hookId"]
        if not _HOOK.fullmatch(identifier):
            raise invalid("Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}")
        with self._world.lock:
            known = self._state.service_deployment(arn)
            if known is None:
                raise ApiError("ServiceDeploymentNotFoundException", "The service deployment does not exist.")
            _, record = known
            if not record.running:
                raise invalid(
                    "Continuing a service deployment is not allowed for service deployment in terminal states."
                )
            runs = record.rollout.hooks if record.rollout else []
            run = next((r for r in runs if r.id == identifier and r.pauses and r.proceeds is None), None)
            if run is None:
                raise invalid(
                    "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN"
                )
            if request.get("action") == "ROLLBACK":
                reason = f"Service deployment rolled back because {run.stage} pause hook was rolled back by the user."
                run.end("FAILED", proceeds=False, reason=reason)
            else:
                run.end("SUCCEEDED", proceeds=True)
        self._world.wake.set()
        return {"serviceDeploymentArn": arn}


def _few(arns: list[str] | None, name: str) -> list[str]:
    if not arns:
        raise invalid(f"{name} cannot be empty.")
    if len(arns) > MOST_DESCRIBED:
        raise invalid(f"{name} cannot have more than {MOST_DESCRIBED} elements.")
    return arns


def _moment(value: Any) -> datetime | None:
    """Read a timestamp of a request: epoch seconds on the wire, or a datetime already."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(value), UTC)
