"""AWS::Logs::*, AWS::CloudWatch::Alarm and AWS::ApplicationAutoScaling::*."""

from __future__ import annotations

from typing import Any

from seatrial.emulator.cloudformation.changes import alike
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, Tagging
from seatrial.emulator.cloudformation.resources.work import Work

# --- logs ------------------------------------------------------------------------------------------------------------


def _group_arn(work: Work) -> str:
    return work.place.arn("logs", f"log-group:{work.physical_id}")


def _retention(work: Work, old: Properties | None) -> None:
    days = work.get("RetentionInDays")
    if alike((old or {}).get("RetentionInDays"), days):
        return
    if days:
        work.call("logs", "put_retention_policy", logGroupName=work.physical_id, retentionInDays=int(days))
    else:
        work.call("logs", "delete_retention_policy", logGroupName=work.physical_id)


def _put_filter(work: Work) -> None:
    work.call("logs", "put_metric_filter", **Row("logs").parameters(work, "put_metric_filter"))
    work.physical_id = str(work.get("FilterName"))


def _delete_filter(work: Work) -> None:
    work.call("logs", "delete_metric_filter", logGroupName=work.get("LogGroupName"), filterName=work.physical_id)


# --- alarms ----------------------------------------------------------------------------------------------------------


def _put_alarm(work: Work) -> None:
    work.call("cloudwatch", "put_metric_alarm", **Row("cloudwatch").parameters(work, "put_metric_alarm"))
    work.physical_id = str(work.get("AlarmName"))


def _delete_alarm(work: Work) -> None:
    work.call("cloudwatch", "delete_alarms", AlarmNames=[work.physical_id])


# --- scaling ---------------------------------------------------------------------------------------------------------

_SCALING = "application-autoscaling"


def _target(properties: Properties) -> dict[str, Any]:
    return {name: properties[name] for name in ("ResourceId", "ScalableDimension", "ServiceNamespace")}


def _register_target(work: Work) -> None:
    parameters = Row(_SCALING).parameters(work, "register_scalable_target")
    work.call(_SCALING, "register_scalable_target", **parameters)
    target = _target(work.properties)
    work.physical_id = "|".join((target["ResourceId"], target["ScalableDimension"], target["ServiceNamespace"]))
    for action in work.get("ScheduledActions") or []:
        row = Row(_SCALING)
        probe = Work(**{**vars(work), "properties": {**target, **action}})
        work.call(_SCALING, "put_scheduled_action", **row.parameters(probe, "put_scheduled_action"))


def _register_target_anew(work: Work, old: Properties) -> None:
    _register_target(work)
    kept = {action["ScheduledActionName"] for action in work.get("ScheduledActions") or []}
    for action in old.get("ScheduledActions") or []:
        if action["ScheduledActionName"] not in kept:
            name = action["ScheduledActionName"]
            work.call(_SCALING, "delete_scheduled_action", **_target(work.properties), ScheduledActionName=name)


def _deregister_target(work: Work) -> None:
    work.call(_SCALING, "deregister_scalable_target", **_target(work.properties))


def _policy_target(work: Work) -> dict[str, Any]:
    """Return the scalable target of a policy, given by its parts or by ``ScalingTargetId``."""
    if work.get("ScalingTargetId"):
        resource, dimension, namespace = str(work.get("ScalingTargetId")).split("|")
        return {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
    return _target(work.properties)


def _put_scaling_policy(work: Work) -> None:
    parameters = Row(_SCALING).parameters(work, "put_scaling_policy")
    answer = work.call(_SCALING, "put_scaling_policy", **{**parameters, **_policy_target(work)})
    work.physical_id = answer["PolicyARN"]


def _delete_scaling_policy(work: Work) -> None:
    work.call(_SCALING, "delete_scaling_policy", PolicyName=work.get("PolicyName"), **_policy_target(work))


ROWS: dict[str, Row] = {
    "AWS::Logs::LogGroup": Row(
        "logs",
        "create_log_group",
        lambda work, _: str(work.get("LogGroupName")),
        name=Name("LogGroupName", limit=512),
        key="logGroupName",
        delete_call="delete_log_group",
        attributes={"Arn": lambda work: f"{_group_arn(work)}:*"},
        after=_retention,
        handles=frozenset({"RetentionInDays"}),
        tagging=Tagging("tag_resource", "resourceArn", "tags", "untag_resource", "tagKeys", identity=_group_arn),
    ),
    "AWS::Logs::MetricFilter": Row(
        "logs",
        name=Name("FilterName", limit=512),
        on_create=_put_filter,
        on_update=lambda work, _: _put_filter(work),
        on_delete=_delete_filter,
    ),
    "AWS::CloudWatch::Alarm": Row(
        "cloudwatch",
        name=Name("AlarmName", limit=255),
        on_create=_put_alarm,
        on_update=lambda work, _: _put_alarm(work),
        on_delete=_delete_alarm,
        attributes={"Arn": lambda work: work.place.arn("cloudwatch", f"alarm:{work.physical_id}")},
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": Row(
        _SCALING,
        on_create=_register_target,
        on_update=_register_target_anew,
        on_delete=_deregister_target,
        attributes={"Id": lambda work: work.physical_id},
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Row(
        _SCALING,
        on_create=_put_scaling_policy,
        on_update=lambda work, _: _put_scaling_policy(work),
        on_delete=_delete_scaling_policy,
        attributes={"Arn": lambda work: work.physical_id},
    ),
}
