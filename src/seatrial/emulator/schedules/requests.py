"""The calls a schedule makes: RunTask or Invoke for its target, SendMessage for what could not be delivered. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from seatrial.emulator.schedules.delivery import Exhausted

#: ``startedBy`` of tasks that a schedule starts, as AWS writes it; at most 128 characters (ECS RunTask).
STARTED_BY, _LONGEST_STARTED_BY = "chronos-schedule/", 128


@dataclass(frozen=True)
class Call:
    """A call on boto3's client of ``service``."""

    service: str
    operation: str
    parameters: dict[str, Any]


def invokes(target: Mapping[str, Any]) -> bool:
    """Whether the emulator invokes such a target: a cluster's tasks, or a Lambda function."""
    return "EcsParameters" in target or _is_function(str(target["Arn"]))


def invocation(name: str, target: Mapping[str, Any]) -> Call:
    """Return the call that invokes a target. Raises ``ValueError`` where its ``Input`` does not fit.

    Lambda functions are invoked asynchronously, with ``Input`` as their event ("Using templated targets" of the user
    guide).
    """
    if _is_function(str(target["Arn"])):
        payload = str(target.get("Input") or "{}").encode()
        parameters = {"FunctionName": target["Arn"], "InvocationType": "Event", "Payload": payload}
        return Call("lambda", "invoke", parameters)
    return Call("ecs", "run_task", run_task(name, target))


def run_task(name: str, target: Mapping[str, Any]) -> dict[str, Any]:
    """Return the RunTask request of a target with ``EcsParameters``; a family without a revision stays as it is.

    ``Input`` is the task's overrides. Raises ``ValueError`` where it is no JSON object.
    """
    parameters = dict(target["EcsParameters"])
    request: dict[str, Any] = {
        "cluster": target["Arn"],
        "taskDefinition": parameters.pop("TaskDefinitionArn"),
        "count": parameters.pop("TaskCount", 1),
        "startedBy": f"{STARTED_BY}{name}"[:_LONGEST_STARTED_BY],
    }
    request |= {_lower(key): _lowered(value) for key, value in parameters.items()}
    if given := target.get("Input"):
        overrides = json.loads(given)
        if not isinstance(overrides, dict):
            raise ValueError("the Input of an ECS target is a JSON object: the overrides of RunTask")
        request["overrides"] = overrides
    return request


def dead_letter(
    schedule: str,
    target: Mapping[str, Any],
    payload: Mapping[str, Any],
    *,
    scheduled: datetime,
    invocation: str,
    retries: int,
    code: str,
    message: str,
    exhausted: Exhausted,
) -> dict[str, Any]:
    """Return body and attributes of the message for the dead-letter queue.

    Attributes as in "Configuring a schedule's dead-letter queue" of the EventBridge Scheduler user guide; the body is
    the call that failed.
    """
    attributes = {
        "ERROR_CODE": code,
        "ERROR_MESSAGE": message,
        "EXECUTION_ID": invocation,
        "EXHAUSTED_RETRY_CONDITION": exhausted,
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": str(retries),
        "SCHEDULED_TIME": scheduled.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "SCHEDULE_ARN": schedule,
        "TARGET_ARN": str(target["Arn"]),
    }
    return {
        "MessageBody": json.dumps(payload, sort_keys=True, default=bytes.decode),
        "MessageAttributes": {
            key: {"DataType": "String", "StringValue": value or "-"} for key, value in attributes.items()
        },
    }


def _is_function(arn: str) -> bool:
    return ":lambda:" in arn and ":function:" in arn


def _lower(key: str) -> str:
    """``LaunchType`` of Scheduler is ``launchType`` of ECS."""
    return key[:1].lower() + key[1:]


def _lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {_lower(key): _lowered(each) for key, each in value.items()}
    return [_lowered(each) for each in value] if isinstance(value, list) else value
