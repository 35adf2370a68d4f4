"""The API actions on task definitions. moto keeps them and deregisters them; what cannot be run is not registered.

moto describes a family by its last revision whatever its state, and lists without order; ECS takes the latest ACTIVE
one (API reference, DescribeTaskDefinition) and sorts by family and revision (ListTaskDefinitions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.ecs.paging import page
from seatrial.emulator.ecs.requests import check_definition
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from seatrial.emulator.ecs.world import World
    from seatrial.emulator.front.actions import Action


class DefinitionActions:
    """The actions, over moto's task definitions."""

    def __init__(self, world: World) -> None:
        self._world = world

    def actions(self) -> dict[str, Action]:
        """Return the actions by moto's method names."""
        return {
            "register_task_definition": self._register,
            "describe_task_definition": self._describe,
            "list_task_definitions": self._list,
        }

    def _register(self, request: dict[str, Any]) -> dict[str, Any]:
        check_definition(request)
        return {"taskDefinition": self._world.surroundings.register(request)}

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            found = self._world.surroundings.task_definition(request["taskDefinition"])
        except ApiError as error:
            raise ApiError(error.code, "Unable to describe task definition.") from error
        answer: dict[str, Any] = {"taskDefinition": self._world.surroundings.described(found.arn)}
        if "TAGS" in (request.get("include") or ()):
            answer["tags"] = list(found.tags)
        return answer

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        arns = self._world.surroundings.definition_arns(request.get("familyPrefix"), request.get("status") or "ACTIVE")
        if request.get("sort") == "DESC":
            arns.reverse()
        return page("taskDefinitionArns", arns, request, default=100)
