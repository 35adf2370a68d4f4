"""The API actions on deployments, their targets and hooks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from seatrial.emulator.codedeploy.begin import begin
from seatrial.emulator.codedeploy.lifecycle import Trouble
from seatrial.emulator.codedeploy.paging import page
from seatrial.emulator.codedeploy.progress import WAITS
from seatrial.emulator.codedeploy.shapes import deployment_shape, target_shape
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from seatrial.emulator.codedeploy.model import Deployment
    from seatrial.emulator.codedeploy.store import Store
    from seatrial.emulator.codedeploy.world import World
    from seatrial.emulator.front.actions import Action

STATUSES = ("Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready")
#: BatchGetDeployments and BatchGetDeploymentTargets take at most twenty-five.
MOST_DESCRIBED = 25


class DeploymentActions:
    """The actions, over one store."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store

    def actions(self) -> dict[str, Action]:
        """Return the actions by moto's method names."""
        return {
            "create_deployment": self._create,
            "get_deployment": self._get,
            "batch_get_deployments": self._batch_get,
            "list_deployments": self._list,
            "stop_deployment": self._stop,
            "continue_deployment": self._continue,
            "list_deployment_targets": self._list_targets,
            "get_deployment_target": self._get_target,
            "batch_get_deployment_targets": self._batch_get_targets,
            "put_lifecycle_event_hook_execution_status": self._put_status,
        }

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        made = begin(self._world, self._store, request)
        self._world.wake.set()
        return {"deploymentId": made.id}

    def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._world.lock:
            return {"deploymentInfo": deployment_shape(self._store.deployment(request.get("deploymentId")))}

    def _batch_get(self, request: dict[str, Any]) -> dict[str, Any]:
        names = request.get("deploymentIds") or []
        if not names:
            raise ApiError("DeploymentIdRequiredException", "At least one deployment id is required.")
        if len(names) > MOST_DESCRIBED:
            raise ApiError("BatchLimitExceededException", f"At most {MOST_DESCRIBED} deployments can be asked for.")
        with self._world.lock:
            found = (self._store.deployments.get(name) for name in names)
            return {"deploymentsInfo": [deployment_shape(each) for each in found if each]}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        statuses = request.get("includeOnlyStatuses") or ()
        unknown = [status for status in statuses if status not in STATUSES]
        if unknown:
            raise ApiError("InvalidDeploymentStatusException", f"{', '.join(unknown)} is no deployment status.")
        times = request.get("createTimeRange") or {}
        after, before = _moment(times.get("start")), _moment(times.get("end"))
        if after and before and after > before:
            raise ApiError("InvalidTimeRangeException", "The start time must be earlier than the end time.")
        application, group = request.get("applicationName"), request.get("deploymentGroupName")
        with self._world.lock:
            if application or group:
                known = self._store.application(application)
                groups = [self._store.group(application, group)] if group else list(known.groups.values())
            else:
                groups = list(self._store.groups())
            found = [
                each.id
                for each in reversed(self._store.deployments.values())
                if each.group in groups
                and (not statuses or each.position.status in statuses)
                and (after is None or each.created_at >= after)
                and (before is None or each.created_at <= before)
            ]
        return page("deployments", found, request)

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """Stop a deployment. Once the original task set is ended there is nothing left to stop."""
        with self._world.lock:
            found = self._store.deployment(request.get("deploymentId"))
            ending = found.position.phase == "CleanUp" and not found.position.back
            if not found.running or ending:
                raise _completed(found)
            found.stop = found.stop or Trouble("request", "MANUAL_STOP", "The deployment was stopped by a user.")
            found.stop_rolls_back = request.get("autoRollbackEnabled")
        self._world.wake.set()
        message = "No more commands will be scheduled for execution in the deployment."
        return {"status": "Pending", "statusMessage": message}

    def _continue(self, request: dict[str, Any]) -> dict[str, Any]:
        """End a wait: by default the one for rerouting."""
        wait = request.get("deploymentWaitType") or "READY_WAIT"
        if wait not in WAITS:
            raise ApiError(
                "InvalidDeploymentWaitTypeException", f"{wait} is no wait type. Valid ones: {', '.join(WAITS)}"
            )
        with self._world.lock:
            found = self._store.deployment(request.get("deploymentId"))
            if not found.running:
                raise _completed(found)
            if found.position.phase != WAITS[wait]:
                raise ApiError(
                    "DeploymentIsNotInReadyStateException",
                    f"The deployment {found.id} is not in the wait {wait} and can't continue yet.",
                )
            found.continued.add(wait)
        self._world.wake.set()
        return {}

    def _list_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        filters = request.get("targetFilters") or {}
        unknown = filters.keys() - {"TargetStatus", "ServerInstanceLabel"}
        if unknown:
            raise ApiError("InvalidTargetFilterNameException", f"{', '.join(sorted(unknown))} is no target filter.")
        with self._world.lock:
            found = self._started(request)
            status = self._target(found)["ecsTarget"]["status"]
        wanted = filters.get("TargetStatus")
        return page("targetIds", [found.target] if not wanted or status in wanted else [], request)

    def _get_target(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"deploymentTarget": self._targets(request, [request.get("targetId")])[0]}

    def _batch_get_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        names = request.get("targetIds") or []
        if len(names) > MOST_DESCRIBED:
            raise ApiError(
                "DeploymentTargetListSizeExceededException", f"At most {MOST_DESCRIBED} targets can be asked for."
            )
        return {"deploymentTargets": self._targets(request, names)}

    def _put_status(self, request: dict[str, Any]) -> dict[str, Any]:
        status, identifier = request.get("status"), request.get("lifecycleEventHookExecutionId")
        if status not in {"Succeeded", "Failed"}:
            raise ApiError(
                "InvalidLifecycleEventHookExecutionStatusException", "The status must be Succeeded or Failed."
            )
        with self._world.lock:
            found = self._store.deployment(request.get("deploymentId"))
            run = next((each for each in found.hooks if each.id == identifier), None)
            if run is None:
                raise ApiError(
                    "InvalidLifecycleEventHookExecutionIdException",
                    f"The hook execution {identifier} does not belong to the deployment {found.id}.",
                )
            if run.status is not None or not found.running:
                raise ApiError(
                    "LifecycleEventAlreadyCompletedException", f"The lifecycle event {run.event} is already completed."
                )
            run.status = str(status)
        self._world.wake.set()
        return {"lifecycleEventHookExecutionId": identifier}

    def _targets(self, request: dict[str, Any], names: list[Any]) -> list[dict[str, Any]]:
        if not names or not all(names):
            raise ApiError("DeploymentTargetIdRequiredException", "A deployment target id is required.")
        with self._world.lock:
            found = self._started(request)
            for name in names:
                if name != found.target:
                    raise ApiError(
                        "DeploymentTargetDoesNotExistException",
                        f"The deployment {found.id} has no target {name}.",
                    )
            return [self._target(found) for _ in names]

    def _target(self, found: Deployment) -> dict[str, Any]:
        cluster, service = found.target.split(":")
        settings = self._world.settings
        arn = f"arn:aws:ecs:{settings.region}:{settings.account}:service/{cluster}/{service}"
        # ``.../targetgroup/NAME/ID``
        names = {arn: arn.split("/")[-2] for arn in (found.route.blue, found.route.green)}
        return target_shape(found, arn, names)

    def _started(self, request: dict[str, Any]) -> Deployment:
        found = self._store.deployment(request.get("deploymentId"))
        if found.position.phase == "Created":
            raise ApiError("DeploymentNotStartedException", f"The deployment {found.id} has not started.")
        return found


def _completed(found: Deployment) -> ApiError:
    return ApiError("DeploymentAlreadyCompletedException", f"The deployment {found.id} is already completed.")


def _moment(value: Any) -> datetime | None:
    """Read a timestamp of a request: epoch seconds on the wire, or a datetime already."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(value), UTC)
