"""What a request to EventBridge Scheduler needs: its REST protocol has the action in method and path. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from seatrial.emulator.access.decision import Need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.emulator.access.needs import Place

_ACTIONS = {"GET": "GetSchedule", "PUT": "UpdateSchedule", "POST": "CreateSchedule", "DELETE": "DeleteSchedule"}
_PREFIX = "/schedules/"


def of_scheduler(method: str, path: str, flags: Mapping[str, str], body: bytes, place: Place) -> list[Need] | None:
    """Return what a request on one schedule needs; None for one that is not known here. ``flags`` is the query."""
    action = _ACTIONS.get(method)
    name = path.removeprefix(_PREFIX)
    if action is None or not path.startswith(_PREFIX) or not name or "/" in name:
        return None
    said = json.loads(body or b"{}")
    group = flags.get("groupName") or said.get("GroupName") or "default"
    found = [Need(f"scheduler:{action}", place.arn("scheduler", "schedule/", f"{group}/{name}"))]
    role = (said.get("Target") or {}).get("RoleArn")
    if role:
        found.append(Need("iam:PassRole", role, {"iam:PassedToService": "scheduler.amazonaws.com"}))
    return found
