"""The API actions on tasks: Run, Stop, Describe and List."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs.paging import page
from seatrial.emulator.ecs.refusals import invalid
from seatrial.emulator.ecs.requests import (
    check_members,
    check_overrides,
    managed_tags,
    open_cluster,
    read_placement,
    usable_definition,
)
from seatrial.emulator.ecs.shapes import task_shape
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.ecs.launch import Order
    from seatrial.emulator.ecs.model import Task
    from seatrial.emulator.ecs.state import State
    from seatrial.emulator.ecs.world import World
    from seatrial.emulator.front.actions import Action

#: RunTask starts at most ten tasks, DescribeTasks takes at most a hundred.
MOST_STARTED, MOST_DESCRIBED = 10, 100
#: The other fields of RunTask that make up its meaning, for ``clientToken``.
_TOKEN_FIELDS = ("cluster", "taskDefinition", "count", "overrides", "launchType", "networkConfiguration", "startedBy")


class TaskActions:
    """The actions, over one state. ``launch`` starts one task."""

    def __init__(self, world: World, state: State, launch: Callable[[Order], Task]) -> None:
        self._world = world
        self._state = state
        self._launch = launch

    def actions(self) -> dict[str, Action]:
        """Return the actions by moto's method names."""
        return {
            "run_task": self._run,
            "stop_task": self._stop,
            "describe_tasks": self._describe,
            "list_tasks": self._list,
        }

    def _run(self, request: dict[str, Any]) -> dict[str, Any]:
        from seatrial.emulator.ecs.launch import Order

        world = self._world
        check_members("RunTaskRequest", request)
        cluster = open_cluster(world, request.get("cluster"))
        definition = usable_definition(world, request["taskDefinition"])
        count = int(request.get("count") or 1)
        if not 1 <= count <= MOST_STARTED:
            raise invalid(f"count must be between 1 and {MOST_STARTED}.")
        if request.get("propagateTags") == "SERVICE":
            raise invalid("SERVICE is not a valid value for propagateTags when running a task.")
        placement = read_placement(world, request, cluster, definition)
        if placement.launch_type != "FARGATE":
            raise invalid("No Container Instances were found in your cluster.")
        overrides = request.get("overrides") or {}
        check_overrides(overrides, definition)
        tags = [dict(t) for t in request.get("tags") or ()]
        if request.get("propagateTags") == "TASK_DEFINITION":
            tags += [dict(t) for t in definition.tags if t["key"] not in {own["key"] for own in tags}]
        if request.get("enableECSManagedTags"):
            tags += managed_tags(cluster)
        order = Order(
            cluster=cluster,
            definition=definition,
            placement=placement,
            group=request.get("group") or f"family:{definition.family}",
            started_by=request.get("startedBy"),
            overrides=overrides,
            tags=tuple(tags),
            settings={"enableExecuteCommand": request.get("enableExecuteCommand")},
        )
        with world.lock:
            repeated = self._repeated(request, cluster.name)
            tasks = [self._launch(order) for _ in range(count)] if repeated is None else repeated
            if token := request.get("clientToken"):
                self._state.tokens[cluster.name, token] = ({k: request.get(k) for k in _TOKEN_FIELDS}, tasks)
            return {"tasks": [task_shape(t) for t in tasks], "failures": []}

    def _repeated(self, request: dict[str, Any], cluster: str) -> list[Task] | None:
        """Return the tasks that the same client token started. Raises ``ApiError`` where the request differs."""
        known = self._state.tokens.get((cluster, request.get("clientToken") or ""))
        if known is None:
            return None
        asked, tasks = known
        if asked != {k: request.get(k) for k in _TOKEN_FIELDS}:
            raise ApiError(
                "ConflictException", "The client token was already used in a request with different parameters."
            )
        return tasks

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        cluster = world.surroundings.cluster(request.get("cluster"))
        with world.lock:
            task = self._state.find_task(cluster, request["task"])
            if task is None:
                raise invalid("The referenced task was not found.")
            task.end("UserInitiated", request.get("reason") or "Task stopped by user", world.clock.now())
            answer = {"task": task_shape(task)}
        world.wake.set()
        return answer

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._world.surroundings.cluster(request.get("cluster"))
        names = request.get("tasks") or []
        if not names:
            raise invalid("Tasks cannot be empty.")
        if len(names) > MOST_DESCRIBED:
            raise invalid(f"Tasks cannot have more than {MOST_DESCRIBED} elements.")
        tags = "TAGS" in (request.get("include") or ())
        found, failures = [], []
        with self._world.lock:
            for name in names:
                task = self._state.find_task(cluster, name)
                if task is None:
                    arn = name if name.startswith("arn:") else self._world.arn("task", f"{cluster.name}/{name}")
                    failures.append({"arn": arn, "reason": "MISSING"})
                else:
                    found.append(task_shape(task, tags=tags))
        return {"tasks": found, "failures": failures}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._world.surroundings.cluster(request.get("cluster"))
        filters = {k: request.get(k) for k in ("family", "startedBy", "serviceName", "containerInstance", "daemonName")}
        if filters["startedBy"] and sum(v is not None for v in filters.values()) > 1:
            raise invalid("cannot use listTasks startedBy with other filters.")
        desired = request.get("desiredStatus") or "RUNNING"
        with self._world.lock:
            service = self._state.service(cluster, filters["serviceName"]) if filters["serviceName"] else None
            arns = [
                t.arn
                for t in sorted(self._state.tasks.values(), key=lambda t: t.order)
                if t.cluster.name == cluster.name
                and t.desired_status == desired
                and filters["family"] in {None, t.definition.family}
                and filters["startedBy"] in {None, t.started_by}
                and (service is None or t.service is service)
                and request.get("launchType") in {None, t.placement.launch_type}
                and not filters["containerInstance"]
                and not filters["daemonName"]
            ]
        return page("taskArns", arns, request, default=100)
