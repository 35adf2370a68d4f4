"""Deployments that go wrong, through boto3: circuit breaker, rollback, health checks, back-off."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from seatrial.emulator.loadbalancing import TargetHealth
from tests.functional.emulator.ecs.support import Rig, eventually

if TYPE_CHECKING:
    from pathlib import Path

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
BREAKER_ONLY = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
ILL = TargetHealth("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")


def release(rig: Rig, definition: str) -> str:
    """Update the service; returns the new deployment's id."""
    service = rig.ecs.update_service(cluster="c", service="web", taskDefinition=definition)["service"]
    return str(service["deployments"][0]["id"])


def only_the_first(address: str) -> TargetHealth:
    """The service's first task is healthy, later ones are never found so."""
    return TargetHealth("healthy" if address.endswith(".1") else "initial")


def finished(rig: Rig) -> dict[str, Any]:
    return eventually(rig.deployment, lambda d: "finishedAt" in d)


BROKEN: dict[str, tuple[dict[str, Any], str, str]] = {
    "exits at once": ({"image": "exit:1", "command": ["3"]}, "EssentialContainerExited", "Essential container in task"),
    "no such image": ({"image": "missing:1"}, "TaskFailedToStart", "CannotPullContainerError: "),
    "no such secret": (
        {"secrets": [{"name": "KEY", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nope-AbCdEf"}]},
        "TaskFailedToStart",
        "ResourceInitializationError: unable to pull secrets or registry auth: ",
    ),
    "cannot start": ({"entryPoint": ["/no/such/program"]}, "TaskFailedToStart", "CannotStartContainerError: "),
}  # fmt: skip


@pytest.mark.parametrize(("container", "code", "reason"), BROKEN.values(), ids=list(BROKEN))
def test_the_circuit_breaker_rolls_back_to_the_tasks_that_still_run(
    rig: Rig, container: dict[str, Any], code: str, reason: str
) -> None:
    rig.create(rig.define(), deploymentConfiguration=BREAKER)
    good = rig.stable()
    task = rig.tasks()[0]["taskArn"]

    rig.targets.judge = only_the_first
    bad = release(rig, rig.define(**container))
    record = finished(rig)

    assert record["status"] == "ROLLBACK_SUCCESSFUL"
    reached = "Service deployment rolled back because the circuit breaker threshold was exceeded."
    assert record["statusReason"] == reached
    assert record["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    assert record["rollback"]["serviceRevisionArn"] == record["sourceServiceRevisions"][0]["arn"]
    service = rig.stable()
    assert service["deployments"][0]["id"] == good["deployments"][0]["id"], "the completed deployment is PRIMARY again"
    assert service["taskDefinition"] == good["taskDefinition"]
    assert [t["taskArn"] for t in rig.tasks()] == [task], "the old task was never touched"
    assert rig.targets.serving() == {"127.200.1.1"}
    failed = [t for t in rig.tasks("STOPPED") if t["startedBy"] == bad]
    assert len(failed) == 3
    assert {t["stopCode"] for t in failed} == {code}
    assert all(t["stoppedReason"].startswith(reason) for t in failed)
    assert f"(service web) (deployment {bad}) deployment failed: tasks failed to start." in rig.events()
    assert f"(service web) rolling back to (deployment {good['deployments'][0]['id']})." in rig.events()


def test_rollout_state_during_a_rollback(rig: Rig) -> None:
    """A failed deployment is seen as ACTIVE and FAILED while its last task drains."""
    rig.create(rig.define(), deploymentConfiguration=BREAKER)
    good = rig.stable()["deployments"][0]["id"]
    rig.targets.judge = lambda address: TargetHealth("healthy") if address.endswith(".1") else ILL
    rig.targets.delay = 200.0  # two seconds at this time scale
    bad = release(rig, rig.define())
    service = eventually(rig.service, lambda s: s["deployments"][0]["id"] == good)
    primary, failed = service["deployments"]
    assert primary["rolloutState"] == "IN_PROGRESS"
    assert primary["rolloutStateReason"] == f"ECS deployment circuit breaker: rolling back to deploymentId {good}."
    assert (failed["id"], failed["status"], failed["rolloutState"]) == (bad, "ACTIVE", "FAILED")
    assert failed["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert failed["failedTasks"] == 3
    assert rig.deployment()["status"] == "ROLLBACK_IN_PROGRESS"
    assert rig.stable()["deployments"][0]["id"] == good


def test_tasks_that_fail_the_load_balancers_health_check(rig: Rig) -> None:
    rig.create(rig.define(), deploymentConfiguration=BREAKER)
    rig.stable()
    rig.targets.judge = lambda address: TargetHealth("healthy") if address.endswith(".1") else ILL
    bad = release(rig, rig.define())
    assert finished(rig)["status"] == "ROLLBACK_SUCCESSFUL"
    group = rig.target_group()
    failed = [t for t in rig.tasks("STOPPED") if t["startedBy"] == bad]
    assert {t["stopCode"] for t in failed} == {"ServiceSchedulerInitiated"}
    assert f"Task failed ELB health checks in (target-group {group})" in {t["stoppedReason"] for t in failed}
    first = failed[0]["taskArn"].split("/")[-1]
    assert (
        f"(service web) (task {first}) (port 8000) is unhealthy in (target-group {group}) due to "
        "(reason Health checks failed with these codes: [503])."
    ) in rig.events()


def test_without_rollback_the_failed_deployment_stays_and_the_old_tasks_serve(rig: Rig) -> None:
    rig.create(rig.define(), deploymentConfiguration=BREAKER_ONLY)
    rig.stable()
    task = rig.tasks()[0]["taskArn"]
    rig.targets.judge = only_the_first
    bad = release(rig, rig.define("exit:1", command=["1"]))
    assert finished(rig)["status"] == "STOPPED"
    primary, old = rig.service()["deployments"]
    assert (primary["id"], primary["status"], primary["rolloutState"]) == (bad, "PRIMARY", "FAILED")
    assert primary["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert (old["status"], old["runningCount"]) == ("ACTIVE", 1)
    assert [t["taskArn"] for t in rig.tasks()] == [task]
    rig.targets.judge = lambda _address: TargetHealth("healthy")
    release(rig, rig.define())
    assert rig.stable()["runningCount"] == 1, "the next release goes on from there"


def test_a_first_deployment_has_nothing_to_roll_back_to(rig: Rig) -> None:
    rig.targets.judge = lambda _address: TargetHealth("initial")
    rig.create(rig.define("exit:1", command=["1"]), deploymentConfiguration=BREAKER)
    record = finished(rig)
    assert (record["status"], record["statusReason"]) == (
        "ROLLBACK_FAILED",
        "No rollback candidate was found to run the rollback.",
    )
    assert rig.service()["deployments"][0]["rolloutState"] == "FAILED"
    assert rig.runtime.alive() == []


def test_the_threshold_can_be_set(rig: Rig) -> None:
    breaker = {"enable": True, "rollback": True, "thresholdConfiguration": {"type": "COUNT", "value": 1}}
    rig.create(rig.define(), deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    rig.stable()
    rig.targets.judge = only_the_first
    bad = release(rig, rig.define("exit:1", command=["1"]))
    assert finished(rig)["deploymentCircuitBreaker"]["threshold"] == 1
    assert len([t for t in rig.tasks("STOPPED") if t["startedBy"] == bad]) == 1


def test_stop_service_deployment_rolls_back(rig: Rig) -> None:
    rig.create(rig.define())
    good = rig.stable()["deployments"][0]["id"]
    rig.targets.judge = only_the_first
    release(rig, rig.define())
    eventually(rig.service, lambda s: s["runningCount"] == 2)
    arn = rig.deployment()["serviceDeploymentArn"]
    answer = rig.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert answer["serviceDeploymentArn"] == arn
    assert finished(rig)["status"] == "ROLLBACK_SUCCESSFUL"
    assert rig.stable()["deployments"][0]["id"] == good
    with pytest.raises(ClientError) as conflict:
        rig.ecs.stop_service_deployment(serviceDeploymentArn=arn)
    assert conflict.value.response["Error"]["Code"] == "ConflictException"
    with pytest.raises(ClientError) as unknown:
        rig.ecs.stop_service_deployment(serviceDeploymentArn=arn + "x")
    assert unknown.value.response["Error"]["Code"] == "ServiceDeploymentNotFoundException"


def test_stop_service_deployment_aborts_and_leaves_what_runs(rig: Rig) -> None:
    rig.create(rig.define())
    rig.stable()
    rig.targets.judge = only_the_first
    aborted = release(rig, rig.define())
    eventually(rig.service, lambda s: s["runningCount"] == 2)
    arn = rig.deployment()["serviceDeploymentArn"]
    rig.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    record = finished(rig)
    assert (record["status"], record["statusReason"]) == (
        "STOPPED",
        "Service deployment stopped because it was aborted by StopServiceDeployment.",
    )
    primary, old = rig.service()["deployments"]
    assert (primary["id"], primary["rolloutState"], old["runningCount"]) == (aborted, "FAILED", 1)


def test_an_unhealthy_task_is_replaced_before_it_is_stopped(rig: Rig) -> None:
    rig.create(rig.define())
    rig.stable()
    ill = rig.tasks()[0]["taskArn"]
    rig.targets.judge = lambda address: ILL if address.endswith(".1") else TargetHealth("initial")
    rig.engine.notify()
    both = eventually(rig.tasks, lambda tasks: len(tasks) == 2 and all(t["lastStatus"] == "RUNNING" for t in tasks))
    assert ill in {t["taskArn"] for t in both}, "it is kept until its replacement is healthy"
    rig.targets.judge = lambda address: ILL if address.endswith(".1") else TargetHealth("healthy")
    rig.engine.notify()
    stopped = rig.stopped(ill)
    assert stopped["stoppedReason"] == f"Task failed ELB health checks in (target-group {rig.target_group()})"
    assert any(e.endswith("Amazon ECS replaced 1 tasks due to an unhealthy status.") for e in rig.events())
    assert rig.stable()["runningCount"] == 1


def test_the_grace_period_ignores_failing_health_checks(rig: Rig) -> None:
    rig.targets.judge = lambda _address: ILL
    rig.create(rig.define(), healthCheckGracePeriodSeconds=3600, deploymentConfiguration=BREAKER)
    task = eventually(rig.tasks, lambda tasks: [t["lastStatus"] for t in tasks] == ["RUNNING"])[0]
    rig.engine.notify()
    assert rig.task(task["taskArn"])["desiredStatus"] == "RUNNING"
    rig.targets.judge = lambda _address: TargetHealth("healthy")
    assert rig.stable()["deployments"][0]["failedTasks"] == 0
    assert [t["taskArn"] for t in rig.tasks()] == [task["taskArn"]]


def test_starts_that_fail_are_throttled_and_told(rig: Rig) -> None:
    rig.create(rig.define("missing:1"))
    eventually(rig.events, lambda e: "(service web) is unable to consistently start tasks successfully." in e)
    starts = sorted(t["createdAt"] for t in rig.tasks("STOPPED"))
    assert all((b - a).total_seconds() >= 0.5 for a, b in pairwise(starts))
    rig.ecs.update_service(cluster="c", service="web", taskDefinition=rig.define())
    rig.stable()


def test_container_health_checks_decide_too(rig: Rig, tmp_path: Path) -> None:
    flag = tmp_path / "well"
    flag.touch()
    check = {"command": ["CMD-SHELL", f"test -e {flag}"], "interval": 5, "retries": 1}
    rig.create(rig.define(healthCheck=check), balanced=False)
    eventually(rig.tasks, lambda tasks: [t["healthStatus"] for t in tasks] == ["HEALTHY"])
    rig.stable()
    task = rig.tasks()[0]
    assert task["containers"][0]["healthStatus"] == "HEALTHY"
    flag.unlink()
    eventually(
        rig.events,
        lambda e: f"(service web) (task {task['taskArn'].split('/')[-1]}) failed container health checks." in e,
    )
    flag.touch()
    rig.stable()


def test_revisions_and_lists_of_deployments(rig: Rig) -> None:
    rig.create(rig.define())
    rig.stable()
    for _ in range(2):
        rig.ecs.update_service(cluster="c", service="web", forceNewDeployment=True)
        rig.stable()
    first = rig.ecs.list_service_deployments(cluster="c", service="web", maxResults=2)
    rest = rig.ecs.list_service_deployments(cluster="c", service="web", maxResults=2, nextToken=first["nextToken"])
    briefs = [*first["serviceDeployments"], *rest["serviceDeployments"]]
    assert [b["status"] for b in briefs] == ["SUCCESSFUL"] * 3
    assert briefs == sorted(briefs, key=lambda b: b["createdAt"], reverse=True)
    hour = timedelta(hours=1)
    for matching, filters in (
        (3, {"status": ["SUCCESSFUL"], "createdAt": {"after": briefs[0]["createdAt"] - hour}}),
        (0, {"status": ["STOPPED"]}),
        (0, {"createdAt": {"before": briefs[0]["createdAt"] - hour}}),
    ):
        found = rig.ecs.list_service_deployments(cluster="c", service="web", **filters)
        assert len(found["serviceDeployments"]) == matching
    answer = rig.ecs.describe_service_revisions(serviceRevisionArns=[briefs[0]["targetServiceRevisionArn"]])
    revision = answer["serviceRevisions"][0]
    assert revision["taskDefinition"] == rig.service()["taskDefinition"]
    assert revision["containerImages"] == [{"containerName": "app", "image": "sleeper:1"}]
    assert revision["loadBalancers"][0]["containerPort"] == 8000
    missing = rig.ecs.describe_service_deployments(serviceDeploymentArns=["arn:aws:ecs:x"])
    assert missing["failures"] == [{"arn": "arn:aws:ecs:x", "reason": "MISSING"}]
