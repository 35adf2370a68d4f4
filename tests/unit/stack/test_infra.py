"""The decisions of ``infra apply``: what is refused, what failed first, what a stack is told of the live release."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from seatrial.aws.cloudformation import Change, ChangeSet, CloudFormation, Event, StackResource
from seatrial.errors import UsageError
from seatrial.infra.changes import Planned, planned, refuse_losses
from seatrial.infra.follow import Follower
from seatrial.infra.live import Live
from tests.unit.stack.support import EVERYTHING, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.aws.session import Aws

STACK = "AWS::CloudFormation::Stack"
DATABASE = "AWS::RDS::DBInstance"
START = datetime(2026, 1, 1, tzinfo=UTC)


class Recorded:
    """CloudFormation as it answered once: change sets, resources, and events that come in portions."""

    def __init__(
        self,
        *,
        change_sets: dict[str, ChangeSet] | None = None,
        resources: dict[str, list[StackResource]] | None = None,
        portions: list[list[Event]] | None = None,
    ) -> None:
        self._change_sets = change_sets or {}
        self._resources = resources or {}
        self._portions = portions or []
        self._told: list[Event] = []

    def change_set(self, arn: str) -> ChangeSet:
        return self._change_sets[arn]

    def resources(self, stack: str) -> Iterator[StackResource]:
        return iter(self._resources[stack])

    def events(self, stack: str) -> Iterator[Event]:
        if stack == "root" and self._portions:
            self._told += self._portions.pop(0)
        return iter([event for event in reversed(self._told) if event.stack_id == stack])

    @property
    def seam(self) -> CloudFormation:
        return cast("CloudFormation", self)


class NoTime:
    """A clock whose sleep is over at once."""

    def monotonic(self) -> float:
        return 0.0

    def now(self) -> datetime:
        return START

    def sleep(self, seconds: float) -> None:
        """Return."""


# --- changes --------------------------------------------------------------------------------------------------------


def change_set(*changes: Change) -> ChangeSet:
    return ChangeSet("arn", "CREATE_COMPLETE", None, changes)


def test_changes_of_nested_stacks_stand_in_the_place_of_the_stacks_own() -> None:
    recorded = Recorded(
        change_sets={"inner": change_set(Change("Modify", "Database", DATABASE, properties=("MultiAZ",)))},
        resources={
            "gone": [
                StackResource("Cache", "c", "AWS::ElastiCache::ReplicationGroup", "CREATE_COMPLETE"),
                StackResource("Former", "f", "AWS::S3::Bucket", "DELETE_COMPLETE"),
            ],
        },
    )
    root = change_set(
        Change("Modify", "Data", STACK, change_set="inner"),
        Change("Remove", "Old", STACK, physical_id="gone"),
        Change("Add", "New", STACK),
        Change("Add", "Topic", "AWS::SNS::Topic"),
    )
    assert [str(each) for each in planned(root, recorded.seam)] == [
        "~ Data/Database (AWS::RDS::DBInstance) MultiAZ",
        "- Old/Cache (AWS::ElastiCache::ReplicationGroup)",
        "+ New (AWS::CloudFormation::Stack)",
        "+ Topic (AWS::SNS::Topic)",
    ]


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (Change("Remove", "Database", DATABASE), True),
        (Change("Modify", "Database", DATABASE, replacement="True"), True),
        (Change("Modify", "Database", DATABASE, replacement="Conditional", recreates=True), True),
        (Change("Modify", "Database", DATABASE, replacement="Conditional", properties=("MultiAZ",)), False),
        (Change("Modify", "Database", DATABASE, replacement="False"), False),
        (Change("Add", "Database", DATABASE), False),
        (Change("Remove", "MediaBucket", "AWS::S3::Bucket"), True),
        (Change("Remove", "Web", "AWS::ECS::Service"), False),
        (Change("Modify", "WebTaskDefinition", "AWS::ECS::TaskDefinition", replacement="True"), False),
    ],
)
def test_what_cannot_be_made_again_is_not_lost_by_accident(change: Change, refused: bool) -> None:
    changes = (Planned(f"Data/{change.logical_id}", change),)
    if not refused:
        refuse_losses(changes, frozenset())
        return
    with pytest.raises(UsageError) as error:
        refuse_losses(changes, frozenset({"Other"}))
    assert error.value.exit_code == 2
    assert f"--replace {change.logical_id}" in (error.value.hint or "")
    assert error.value.details == (str(changes[0]),)
    refuse_losses(changes, frozenset({change.logical_id}))
    refuse_losses(changes, frozenset({f"Data/{change.logical_id}"}))


def test_a_removed_nested_stack_takes_its_database_along() -> None:
    inner = [StackResource("Inner", "inner", STACK, "CREATE_COMPLETE")]
    database = [StackResource("Database", "d", DATABASE, "CREATE_COMPLETE")]
    recorded = Recorded(resources={"data": inner, "inner": database})
    changes = tuple(planned(change_set(Change("Remove", "Data", STACK, physical_id="data")), recorded.seam))
    assert [each.path for each in changes] == ["Data/Inner/Database"]
    with pytest.raises(UsageError):
        refuse_losses(changes, frozenset())


@pytest.mark.parametrize(
    ("status", "reason", "empty"),
    [
        ("FAILED", "The submitted information didn't contain changes. Submit different information.", True),
        ("FAILED", "No updates are to be performed.", True),
        ("FAILED", "No export named shop-base-VpcId found.", False),
        ("CREATE_COMPLETE", None, False),
    ],
)
def test_nothing_to_change_is_what_cloudformation_calls_failed(status: str, reason: str | None, empty: bool) -> None:
    assert ChangeSet("arn", status, reason, ()).empty is empty


class Answering:
    """An ``Aws`` whose CloudFormation has these change sets: status and reason by ARN."""

    def __init__(self, answers: dict[str, tuple[str, str]]) -> None:
        self._answers = answers

    def client(self, _service: str) -> Answering:
        return self

    def describe_change_set(self, *, ChangeSetName: str) -> dict[str, object]:  # noqa: N803 - boto3's name
        status, reason = self._answers[ChangeSetName]
        return {"Status": status, "StatusReason": reason, "Changes": []}


def test_a_change_set_that_failed_for_a_nested_one_says_why() -> None:
    arns = [f"arn:aws:cloudformation:eu-west-3:123456789012:changeSet/shop-{each}/1f-2e" for each in "abc"]
    answers = {
        "root": ("FAILED", f"Nested change set {arns[0]} was not successfully created: Currently in FAILED."),
        arns[0]: ("FAILED", f"Nested change set {arns[1]} failed, as did {arns[2]}."),
        arns[1]: ("FAILED", "No export named shop-base-VpcId found."),
        arns[2]: ("FAILED", "The submitted information didn't contain changes."),
    }
    cloudformation = CloudFormation(cast("Aws", Answering(answers)))
    why = cloudformation.why(cloudformation.change_set("root"))
    assert why.endswith("No export named shop-base-VpcId found.")
    assert "didn't contain" not in why


# --- events ---------------------------------------------------------------------------------------------------------


def event(  # noqa: PLR0917
    number: int, stack: str, logical: str, status: str, reason: str | None = None, kind: str = "AWS::ECS::Service"
) -> Event:
    physical = {"Root": "root", "Services": "nested"}.get(logical, f"id-{logical}")
    kind = STACK if logical in ("Root", "Services") else kind
    return Event(f"e{number}", stack, logical, physical, kind, status, reason, START + timedelta(seconds=number))


OLD = event(0, "root", "Root", "CREATE_COMPLETE")


def follow(*portions: list[Event]) -> tuple[str, str | None, list[str]]:
    recorded = Recorded(portions=[[OLD], *portions])
    said: list[str] = []
    end = Follower(recorded.seam, "root", NoTime(), 1.0, said.append).to_the_end()
    return end.status, str(end.cause) if end.cause else None, [" ".join(line.split()) for line in said]


def test_an_end_is_not_the_one_before() -> None:
    status, cause, said = follow(
        [],
        [event(1, "root", "Root", "UPDATE_IN_PROGRESS"), event(2, "root", "Topic", "UPDATE_IN_PROGRESS")],
        [event(3, "root", "Topic", "UPDATE_COMPLETE"), event(4, "root", "Root", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")],
        [event(5, "root", "Root", "UPDATE_COMPLETE")],
    )
    assert (status, cause) == ("UPDATE_COMPLETE", None)
    assert said == [
        "UPDATE_IN_PROGRESS Topic (AWS::ECS::Service)",
        "UPDATE_COMPLETE Topic (AWS::ECS::Service)",
    ]


def test_the_first_failure_is_the_cause_and_not_what_follows_from_it() -> None:
    status, cause, said = follow(
        [
            event(1, "root", "Root", "UPDATE_IN_PROGRESS"),
            event(2, "root", "Services", "UPDATE_IN_PROGRESS"),
            event(3, "nested", "Services", "UPDATE_IN_PROGRESS"),
            event(4, "nested", "Worker", "CREATE_FAILED", "Resource creation cancelled"),
            event(5, "nested", "Web", "CREATE_FAILED", "ECS Deployment Circuit Breaker was triggered"),
            event(6, "nested", "Beat", "CREATE_FAILED", "something later"),
        ],
        [
            event(7, "root", "Services", "UPDATE_FAILED", "Embedded stack nested was not successfully updated: ..."),
            event(8, "root", "Root", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: ..."),
            event(9, "root", "Root", "UPDATE_ROLLBACK_COMPLETE"),
        ],
    )
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert cause == "Services/Web (AWS::ECS::Service): ECS Deployment Circuit Breaker was triggered"
    assert "CREATE_FAILED Services/Web (AWS::ECS::Service): ECS Deployment Circuit Breaker was triggered" in said


def test_events_of_a_nested_stack_from_before_are_not_told_again() -> None:
    before = event(-5, "nested", "Web", "CREATE_FAILED", "last week's trouble")
    _, cause, said = follow(
        [
            before,
            event(1, "root", "Root", "UPDATE_IN_PROGRESS"),
            event(2, "root", "Services", "UPDATE_IN_PROGRESS"),
            event(3, "nested", "Web", "UPDATE_COMPLETE"),
            event(4, "root", "Root", "UPDATE_COMPLETE"),
        ],
    )
    assert cause is None
    assert not any("last week" in line for line in said)
    assert "UPDATE_COMPLETE Services/Web (AWS::ECS::Service)" in said


def test_a_failure_that_only_the_stack_tells_is_told() -> None:
    _, cause, _ = follow(
        [event(1, "root", "Root", "UPDATE_IN_PROGRESS"), event(2, "root", "Root", "UPDATE_FAILED", "no permission")]
    )
    assert cause == "Root (AWS::CloudFormation::Stack): no permission"


# --- what is live ---------------------------------------------------------------------------------------------------


def test_what_a_stack_is_told_of_the_live_release() -> None:
    everything = settings(**EVERYTHING)
    assert Live(None, frozenset(), ()).parameters(everything) == {
        "ImageUri": "",
        "WebReleased": "false",
        "EventsReleased": "false",
        "WorkerReleased": "false",
        "BeatReleased": "false",
        "LowStockDigestReleased": "false",
    }
    told = Live("registry/shop@sha256:1", frozenset({"web"}), ()).parameters(everything)
    assert (told["ImageUri"], told["WebReleased"], told["WorkerReleased"]) == (
        "registry/shop@sha256:1",
        "true",
        "false",
    )
