"""Plans and the permissions they need: pure functions of settings and facts."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from seatrial.aws.permission import policy
from seatrial.release import deploy, facts
from seatrial.release.permissions import permissions
from seatrial.release.plan import Wanted, patience, plan_release
from seatrial.release.steps import Roll
from tests.unit.release.support import NEW, TOML, FakeAws, FakeClock, settings_of

#: What makes a plan of every kind of step: traffic is shifted, and a command checks the new version.
SHIFTING = """strategy = { type = "blue_green" }
[smoke.check]
command = ["python", "manage.py", "check"]
"""


def planned(wanted: Wanted, *, running: bool = True, more: str = "") -> Any:
    settings = settings_of(TOML + more)
    found = facts.gather(settings, FakeAws(settings, FakeClock(), running=running))
    plan = plan_release(settings, found, wanted)
    return plan, permissions(plan, settings, found)


BUILT = Wanted("abc123", None, revision="v2")
THERE = Wanted("abc123", NEW)


def test_the_order_of_a_release() -> None:
    plan, _ = planned(BUILT)
    assert [each.title for each in plan.steps] == [
        "verify the project",
        "build the image abc123",
        "push it to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:abc123",
        "register the task definitions of services and tasks",
        "run migrate, which must exit 0",
        "roll out web and events",
        "roll out worker",
        "roll out beat",
        "register the task definitions of jobs, which their schedules start from now on",
        "turn on the schedule of digest",
        "record the release in /shop/production/releases",
    ]
    json.dumps(plan.to_json())


def test_the_first_release_rolls_everything_out_together() -> None:
    plan, _ = planned(THERE, running=False)
    assert [each.title for each in plan.steps if isinstance(each, Roll)] == ["roll out web, events, worker and beat"]


def test_an_image_in_ecr_is_not_built_again_and_that_is_said() -> None:
    plan, needed = planned(THERE)
    assert {"build", "push"}.isdisjoint(each.kind for each in plan.steps)
    assert any("is in ECR already" in note for note in plan.notes)
    assert not any("ecr:PutImage" in each.actions for each in needed)


def test_uncommitted_changes_are_noted() -> None:
    plan, _ = planned(Wanted("abc123-dead", None, dirty=True))
    assert any("not committed" in note for note in plan.notes)


def test_what_is_not_in_the_file_any_more_is_noted_with_what_removes_it() -> None:
    settings = settings_of()
    aws = FakeAws(settings, FakeClock())
    deploy(settings, Path(), aws, image=NEW, clock=FakeClock())
    less = settings_of(
        TOML.replace('[services.worker]\nrole = "worker"\ncommand = ["celery", "-A", "shop", "worker"]', "")
    )
    notes = plan_release(less, facts.gather(less, aws), THERE).notes
    assert any(note.startswith("worker: not in seatrial.toml any more") for note in notes)
    assert not any("any more" in note for note in plan_release(settings, facts.gather(settings, aws), THERE).notes)


def test_counts_are_set_on_a_first_release_only() -> None:
    for running, expected in ((True, {None}), (False, {1, 2})):
        plan, _ = planned(THERE, running=running)
        assert {c.desired for step in plan.steps if isinstance(step, Roll) for c in step.changes} == expected


def test_patience_outlasts_three_failing_starts_and_is_no_hours_long_wait() -> None:
    service = settings_of().services["web"]
    assert patience(service) > 3 * service.grace_period
    assert patience(service) < 3600
    gentle = settings_of(TOML.replace("count = 2", "count = 2\nmaximum_percent = 125\nminimum_healthy_percent = 100"))
    assert patience(gentle.services["web"]) > patience(service)


def test_permissions_name_this_environments_resources() -> None:
    _, needed = planned(BUILT)
    where = {action: each.resources for each in needed for action in each.actions}
    account = "eu-west-1:123456789012"
    assert where["ecr:PutImage"] == (f"arn:aws:ecr:{account}:repository/shop",)
    assert where["ecs:RunTask"] == (f"arn:aws:ecs:{account}:task-definition/shop-production-migrate:*",)
    assert where["ssm:PutParameter"] == (f"arn:aws:ssm:{account}:parameter/shop/production/*",)
    assert where["ecs:UpdateService"] == (f"arn:aws:ecs:{account}:service/shop-production/beat",)
    passed = [each.resources for each in needed if "iam:PassRole" in each.actions]
    assert list(dict.fromkeys(passed)) == [
        ("arn:aws:iam::123456789012:role/execution", "arn:aws:iam::123456789012:role/task"),
        ("arn:aws:iam::123456789012:role/shop-production-*",),  # a schedule's, whose name CloudFormation makes
    ]
    assert where["scheduler:UpdateSchedule"] == (
        f"arn:aws:scheduler:{account}:schedule/default/shop-production-digest",
    )
    assert where["cloudformation:DescribeStacks"] == (f"arn:aws:cloudformation:{account}:stack/shop-production/*",)


def test_the_policy_is_a_policy_document() -> None:
    _, needed = planned(BUILT)
    document = policy(needed)
    assert document["Version"] == "2012-10-17"
    pairs = [(tuple(each["Resource"]), json.dumps(each.get("Condition"))) for each in document["Statement"]]
    assert len(pairs) == len(set(pairs))
    passing = [each["Condition"] for each in document["Statement"] if "iam:PassRole" in each["Action"]]
    assert passing == [
        {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}} for service in ("ecs-tasks", "scheduler")
    ]
    assert len(json.dumps(document, separators=(",", ":"))) < 6144  # a managed policy's limit


@pytest.mark.parametrize("more", ["", SHIFTING], ids=["rolling", "shifting"])
def test_actions_exist_and_are_limited_to_resources_where_iam_can(more: str) -> None:
    """Compare with the Service Authorization Reference, of which cfn-lint carries a copy."""
    spec = find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    reference = json.loads((Path(spec.origin).parent / "data/AdditionalSpecs/Policies.json").read_text())
    _, needed = planned(BUILT, more=more)
    for each in needed:
        for action in each.actions:
            service, _, name = action.partition(":")
            known = reference[service]["Actions"]
            assert name.lower() in known, action
            kinds = known[name.lower()].get("Resources")
            # ListTasks knows only container instances, of which Fargate has none: limited by its cluster instead
            if kinds and action != "ecs:ListTasks":
                assert each.resources != ("*",), action
            elif not kinds:
                assert each.resources == ("*",), action


@pytest.mark.parametrize("missing", ["web", "migrate", "digest"])
def test_infrastructure_that_lacks_something_is_a_usage_error(missing: str) -> None:
    settings = settings_of()
    aws = FakeAws(settings, FakeClock())
    aws.definitions = {arn: each for arn, each in aws.definitions.items() if not arn.endswith(f"-{missing}:1")}
    if missing in aws.services:
        del aws.services[missing]
    with pytest.raises(Exception, match=missing) as caught:
        facts.gather(settings, aws)
    assert getattr(caught.value, "exit_code", None) == 2
    assert "seatrial infra apply production" in getattr(caught.value, "hint", "")
