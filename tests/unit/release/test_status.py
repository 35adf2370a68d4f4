"""What an environment runs: traffic by version, and what is not as it was released."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.aws.ecs import Attachment
from seatrial.aws.elbv2 import Forward, TargetHealth
from seatrial.release.migrations import Pending
from seatrial.release.record import Record
from seatrial.release.rollout.traffic import Group, by_version, group_shares
from seatrial.release.status import Running, ServiceStatus, Status, as_lines, as_text, drift

BOTH = Attachment("blue", "web", 8000, alternate="green", production_rule="production")


def target(address: str, state: str = "healthy") -> TargetHealth:
    return TargetHealth(address, 8000, state, None, None)


@pytest.mark.parametrize(
    ("attachment", "forwards", "shares"),
    [
        (Attachment("only", "web", 8000), [Forward("r", {"only": 1})], {"only": 1.0}),
        (Attachment("only", "web", 8000), [Forward("r", {"other": 1})], {"only": 0.0}),
        (
            BOTH,
            [Forward("test", {"green": 1}), Forward("production", {"blue": 90, "green": 10})],
            {"blue": 0.9, "green": 0.1},
        ),
        (BOTH, [Forward("production", {"blue": 0, "green": 0})], {"blue": 0.0, "green": 0.0}),
        (BOTH, [Forward("elsewhere", {"green": 100})], {"blue": 0.0, "green": 1.0}),
        (BOTH, [], {"blue": 0.0, "green": 0.0}),
    ],
    ids=str,
)
def test_what_a_target_group_gets(attachment: Attachment, forwards: list[Forward], shares: dict[str, float]) -> None:
    assert group_shares(attachment, forwards) == shares


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([Group(1, (target("a"), target("b")))], {"old": 1.0}),
        ([Group(1, (target("a"), target("c")))], {"old": 0.5, "new": 0.5}),
        ([Group(1, (target("a"), target("c", "initial")))], {"old": 1.0}),
        ([Group(1, (target("a", "draining"), target("c", "unhealthy")))], {"new": 1.0}),
        ([Group(0.9, (target("a"), target("b"))), Group(0.1, (target("c"),))], {"old": 0.9, "new": 0.1}),
        ([Group(1, (target("a"), target("z")))], {"old": 0.5, "?": 0.5}),
        ([Group(1, ())], {}),
    ],
    ids=str,
)
def test_what_a_version_gets(groups: list[Group], expected: dict[str, float]) -> None:
    assert by_version(groups, {"a": "old", "b": "old", "c": "new"}) == pytest.approx(expected)


states = st.sampled_from(["healthy", "initial", "unhealthy", "draining", "unused"])
targets = st.lists(st.builds(target, st.sampled_from("abcdef"), states), max_size=6).map(tuple)


@settings(deadline=None)
@given(st.lists(targets, min_size=1, max_size=3))
def test_the_parts_come_to_one_or_to_nothing(groups: list[tuple[TargetHealth, ...]]) -> None:
    shared = [Group(1 / len(groups), each) for each in groups]
    total = sum(by_version(shared, {"a": "old", "b": "new"}).values())
    with_targets = [each for each in groups if any(t.state not in ("draining", "unused") for t in each)]
    assert total == pytest.approx(len(with_targets) / len(groups))


def record(**revisions: str) -> Record:
    return Record(7, "new", "sha256:1", revisions, "arn:x", datetime(2026, 1, 1, tzinfo=UTC), "released")


def test_drift_names_unit_revision_and_release() -> None:
    now = {"web": "shop-web:4", "worker": "shop-worker:2", "fresh": "shop-fresh:1"}
    assert drift(record(web="shop-web:3", worker="shop-worker:2"), now, "runs") == (
        "web: runs shop-web:4, release 7 put shop-web:3 live",
        "fresh: not part of release 7",
    )
    assert drift(None, now, "runs") == ()


def service(*runs: Running, drifted: tuple[str, ...] = ()) -> ServiceStatus:
    return ServiceStatus("web", "web", "new", "shop-web:4", 2, 2, 0, "IN_PROGRESS", {"healthy": 2}, (), runs, drifted)


def test_the_table_and_the_lines_have_traffic_and_drift() -> None:
    web = service(
        Running("new", "shop-web:4", 1, 0.1), Running("old", "shop-web:3", 2, 0.9), drifted=("web: runs another",)
    )
    worker = ServiceStatus(
        "worker", "worker", "old", "shop-worker:1", 1, 1, 0, "COMPLETED", {}, (), (Running("old", "r", 1, None),)
    )
    now = Status(
        "production", "https://shop", "shop", (web, worker), (record(),), "arn:x (process 1), for 3 s", ("digest: x",)
    )
    text = as_text(now)
    assert "new 10%, old 90%" in text
    assert "old x 1" in text
    assert [line for line in text.splitlines() if line.startswith("drift:")] == [
        "drift: web: runs another", "drift: digest: x",
    ]  # fmt: skip
    assert as_lines(now) == {
        "web": "web: new 2/2 tasks IN_PROGRESS, new 10%, old 90%; drift: web: runs another",
        "worker": "worker: old 1/1 tasks COMPLETED, old x 1",
        "drift 0": "drift: digest: x",
        "serving": "serving: release 7, new",
        "lock": "releasing now: arn:x (process 1)",
    }
    assert now.to_json()["drift"] == ["web: runs another", "digest: x"]
    assert [each["traffic"] for each in now.to_json()["services"][0]["runs"]] == [0.1, 0.9]


def test_pending_migrations_are_named_or_it_is_said_why_not() -> None:
    now = Status("production", "https://shop", "shop", (), (), None)
    assert "migrations" not in as_text(now)
    assert now.to_json()["migrations"] is None
    some = replace(now, migrations=Pending(("a.0001", "b.0002"), "asked"))
    assert as_text(some).endswith("pending migrations: a.0001, b.0002 (asked)")
    assert some.to_json()["migrations"] == {"pending": ("a.0001", "b.0002"), "note": "asked"}
    assert as_text(replace(now, migrations=Pending((), "asked"))).endswith("pending migrations: none (asked)")
    assert as_text(replace(now, migrations=Pending(None, "why"))).endswith("pending migrations: not known (why)")
