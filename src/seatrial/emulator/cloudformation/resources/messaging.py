"""AWS::Events::Rule, AWS::Scheduler::*, AWS::SNS::* and AWS::SQS::Queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.changes import alike
from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources.coercion import coerce
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, Tagging, retag

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.resources.work import Work

# --- EventBridge rules -----------------------------------------------------------------------------------------------


def _bus(work: Work) -> dict[str, Any]:
    return {"EventBusName": work.get("EventBusName")} if work.get("EventBusName") else {}


def _rule_name(work: Work) -> str:
    return work.physical_id.rsplit("|", 1)[-1]


def _rule_arn(work: Work) -> Any:
    return work.call("events", "describe_rule", Name=_rule_name(work), **_bus(work))["Arn"]


def _put_rule(work: Work) -> None:
    work.call("events", "put_rule", **Row("events").parameters(work, "put_rule"))
    bus = work.get("EventBusName")
    work.physical_id = f"{bus}|{work.get('Name')}" if bus else str(work.get("Name"))


def _change_rule(work: Work, _: Properties) -> None:
    work.properties["Name"] = _rule_name(work)
    parameters = Row("events").parameters(work, "put_rule")
    parameters.pop("Tags", None)  # only a new rule takes tags in PutRule
    work.call("events", "put_rule", **parameters)


def _targets(work: Work, old: Properties | None) -> None:
    before, after = (old or {}).get("Targets") or [], work.get("Targets") or []
    gone = [target["Id"] for target in before if target["Id"] not in {other["Id"] for other in after}]
    if gone:
        work.call("events", "remove_targets", Rule=_rule_name(work), Ids=gone, **_bus(work))
    if after and not alike(before, after):
        shape = work.shapes("events", "put_targets").members["Targets"]
        answer = work.call(
            "events",
            "put_targets",
            Rule=_rule_name(work),
            Targets=coerce(shape, after, work.misfit("Targets")),
            **_bus(work),
        )
        if answer.get("FailedEntryCount"):
            raise ResourceFailed(str(answer["FailedEntries"][0].get("ErrorMessage")))


def _delete_rule(work: Work) -> None:
    targets = work.call("events", "list_targets_by_rule", Rule=_rule_name(work), **_bus(work))["Targets"]
    if targets:
        ids = [target["Id"] for target in targets]
        work.call("events", "remove_targets", Rule=_rule_name(work), Ids=ids, **_bus(work))
    work.call("events", "delete_rule", Name=_rule_name(work), **_bus(work))


# --- schedules -------------------------------------------------------------------------------------------------------


def _group(work: Work) -> dict[str, Any]:
    return {"GroupName": work.get("GroupName")} if work.get("GroupName") else {}


def _change_schedule(work: Work, old: Properties) -> None:
    if not alike(old.get("GroupName"), work.get("GroupName")):
        raise ResourceFailed("A schedule cannot be moved to another group.")
    parameters = Row("scheduler").parameters(work, "update_schedule")
    work.call("scheduler", "update_schedule", **{**parameters, "Name": work.physical_id})


def _delete_schedule(work: Work) -> None:
    work.call("scheduler", "delete_schedule", Name=work.physical_id, **_group(work))


def _schedule_arn(work: Work) -> str:
    return work.place.arn("scheduler", f"schedule/{work.get('GroupName') or 'default'}/{work.physical_id}")


# --- topics and queues -----------------------------------------------------------------------------------------------

_TOPIC_ATTRIBUTES = {
    "DisplayName": "DisplayName",
    "KmsMasterKeyId": "KmsMasterKeyId",
    "FifoTopic": "FifoTopic",
    "ContentBasedDeduplication": "ContentBasedDeduplication",
    "SignatureVersion": "SignatureVersion",
    "TracingConfig": "TracingConfig",
}
_QUEUE_ATTRIBUTES = (
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)
_SUBSCRIPTION_ATTRIBUTES = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
)


def _as_attributes(names: Any) -> Any:
    def prepare(_: Work, properties: dict[str, Any]) -> dict[str, Any]:
        attributes = {name: properties.pop(name) for name in names if properties.get(name) is not None}
        return {**properties, **({"Attributes": attributes} if attributes else {})}

    return prepare


def _topic(work: Work, old: Properties | None) -> None:
    before = (old or {}).get("Subscription") or []
    for subscription in work.get("Subscription") or []:
        if not any(alike(subscription, other) for other in before):
            work.call("sns", "subscribe", TopicArn=work.physical_id, **subscription)
    if old is None:
        return
    for name in _TOPIC_ATTRIBUTES:
        if not alike(old.get(name), work.get(name)):
            value = str(work.get(name, "")) if not isinstance(work.get(name), bool) else str(work.get(name)).lower()
            work.call(
                "sns", "set_topic_attributes", TopicArn=work.physical_id, AttributeName=name, AttributeValue=value
            )


def _change_subscription(work: Work, old: Properties) -> None:
    shape = work.shapes("sns", "set_subscription_attributes").members["AttributeValue"]
    for name in _SUBSCRIPTION_ATTRIBUTES:
        if not alike(old.get(name), work.get(name)):
            work.call(
                "sns",
                "set_subscription_attributes",
                SubscriptionArn=work.physical_id,
                AttributeName=name,
                AttributeValue=coerce(shape, work.get(name, "")),
            )


def _change_queue(work: Work, old: Properties) -> None:
    shape = work.shapes("sqs", "set_queue_attributes").members["Attributes"]
    changed = {name: work.get(name, "") for name in _QUEUE_ATTRIBUTES if not alike(old.get(name), work.get(name))}
    if changed:
        work.call("sqs", "set_queue_attributes", QueueUrl=work.physical_id, Attributes=coerce(shape, changed))
    if not alike(old.get("Tags"), work.get("Tags")):
        retag("sqs", _QUEUE_TAGS, work, old)


def _queue_arn(work: Work) -> str:
    return work.place.arn("sqs", work.physical_id.rsplit("/", 1)[-1])


_QUEUE_TAGS = Tagging("tag_queue", "QueueUrl", "Tags", "untag_queue")


ROWS: dict[str, Row] = {
    "AWS::Events::Rule": Row(
        "events",
        name=Name("Name"),
        on_create=_put_rule,
        on_update=_change_rule,
        on_delete=_delete_rule,
        after=_targets,
        attributes={"Arn": _rule_arn, "RuleName": _rule_name},
        replaced_by=frozenset({"EventBusName"}),
    ),
    "AWS::Scheduler::Schedule": Row(
        "scheduler",
        "create_schedule",
        lambda work, _: str(work.get("Name")),
        name=Name("Name"),
        on_update=_change_schedule,
        on_delete=_delete_schedule,
        attributes={"Arn": _schedule_arn},
    ),
    "AWS::Scheduler::ScheduleGroup": Row(
        "scheduler",
        "create_schedule_group",
        lambda work, _: str(work.get("Name")),
        name=Name("Name"),
        key="Name",
        delete_call="delete_schedule_group",
        describe=("get_schedule_group", "Name", ""),
        attributes={"Arn": "Arn", "State": "State"},
        tagging=Tagging(
            "tag_resource",
            "ResourceArn",
            remove="untag_resource",
            identity=lambda work: work.place.arn("scheduler", f"schedule-group/{work.physical_id}"),
        ),
    ),
    "AWS::SNS::Topic": Row(
        "sns",
        "create_topic",
        "TopicArn",
        name=Name("TopicName", limit=256),
        key="TopicArn",
        rename={"TopicName": "Name"},
        prepare=_as_attributes(_TOPIC_ATTRIBUTES),
        delete_call="delete_topic",
        attributes={
            "TopicArn": lambda work: work.physical_id,
            "TopicName": lambda work: work.physical_id.rsplit(":", 1)[-1],
        },
        after=_topic,
        handles=frozenset({*_TOPIC_ATTRIBUTES, "Subscription"}),
        tagging=Tagging("tag_resource", "ResourceArn", remove="untag_resource"),
    ),
    "AWS::SNS::Subscription": Row(
        "sns",
        "subscribe",
        "SubscriptionArn",
        key="SubscriptionArn",
        prepare=_as_attributes(_SUBSCRIPTION_ATTRIBUTES),
        on_update=_change_subscription,
        delete_call="unsubscribe",
        attributes={"Arn": lambda work: work.physical_id},
    ),
    "AWS::SQS::Queue": Row(
        "sqs",
        "create_queue",
        "QueueUrl",
        name=Name("QueueName", limit=80),
        key="QueueUrl",
        prepare=_as_attributes(_QUEUE_ATTRIBUTES),
        on_update=_change_queue,
        delete_call="delete_queue",
        attributes={
            "Arn": _queue_arn,
            "QueueName": lambda work: work.physical_id.rsplit("/", 1)[-1],
            "QueueUrl": lambda work: work.physical_id,
        },
    ),
}
