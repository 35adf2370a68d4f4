"""Services through boto3: creating, rolling out, scaling, deleting, and what is refused."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from seatrial.emulator.loadbalancing import TargetHealth
from tests.functional.emulator.ecs.support import Rig, emulated_ecs, eventually

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_service_reaches_its_steady_state_with_running_tasks(rig: Rig) -> None:
    created = rig.create(rig.define(), desired=2)
    assert (created["status"], created["desiredCount"], created["runningCount"]) == ("ACTIVE", 2, 0)
    assert created["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert (
        created["deployments"][0]["rolloutStateReason"]
        == f"ECS deployment {created['deployments'][0]['id']} in progress."
    )

    service = rig.stable()
    primary = service["deployments"][0]
    assert primary["status"] == "PRIMARY"
    assert primary["rolloutStateReason"] == f"ECS deployment {primary['id']} completed."
    tasks = rig.tasks()
    assert {t["lastStatus"] for t in tasks} == {"RUNNING"}
    assert {t["startedBy"] for t in tasks} == {primary["id"]}
    assert {t["group"] for t in tasks} == {"service:web"}
    assert len(rig.runtime.alive()) == 2
    assert len({t["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for t in tasks}) == 2
    cluster = rig.ecs.describe_clusters(clusters=["c"])["clusters"][0]
    assert (cluster["activeServicesCount"], cluster["runningTasksCount"]) == (1, 2)


def test_a_rolling_update_starts_the_new_before_it_stops_the_old(rig: Rig) -> None:
    rig.create(rig.define(), desired=2)
    old = rig.stable()["deployments"][0]
    rig.targets.judge = lambda address: TargetHealth("healthy" if address.endswith((".1", ".2")) else "initial")
    new_definition = rig.define()

    updated = rig.ecs.update_service(cluster="c", service="web", taskDefinition="app")["service"]

    assert [d["status"] for d in updated["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert updated["taskDefinition"] == new_definition
    assert updated["deployments"][1]["id"] == old["id"]
    both = eventually(rig.service, lambda s: s["runningCount"] == 4)
    assert [d["runningCount"] for d in both["deployments"]] == [2, 2]
    assert rig.targets.serving() == {"127.200.1.1", "127.200.1.2"}, "old tasks serve until new ones are healthy"
    rig.targets.judge = lambda _address: TargetHealth("healthy")
    rig.engine.notify()
    service = rig.stable()
    assert service["deployments"][0]["id"] == updated["deployments"][0]["id"]
    assert {t["taskDefinitionArn"] for t in rig.tasks()} == {new_definition}
    assert len(rig.runtime.alive()) == 2


def test_events_are_in_the_words_and_order_of_ecs(rig: Rig) -> None:
    rig.create(rig.define())
    first = rig.stable()["deployments"][0]["id"]
    task = rig.tasks()[0]["taskArn"].split("/")[-1]
    rig.ecs.update_service(cluster="c", service="web", forceNewDeployment=True)
    second = rig.stable()["deployments"][0]["id"]
    new = rig.tasks()[0]["taskArn"].split("/")[-1]
    group = rig.target_group()
    assert second != first
    assert rig.events() == [
        f"(service web) has started 1 tasks: (task {task}).",
        f"(service web) registered 1 targets in (target-group {group})",
        f"(service web) (deployment {first}) deployment completed.",
        "(service web) has reached a steady state.",
        f"(service web) has started 1 tasks: (task {new}).",
        f"(service web) registered 1 targets in (target-group {group})",
        f"(service web) has stopped 1 running tasks: (task {task}).",
        f"(service web) deregistered 1 targets in (target-group {group})",
        f"(service web, taskSet {first}) has begun draining connections on 1 tasks.",
        f"(service web) (deployment {second}) deployment completed.",
        "(service web) has reached a steady state.",
    ]


def test_a_task_is_drained_removed_and_only_then_terminated(rig: Rig) -> None:
    rig.targets.delay = 50.0  # half a second at this time scale, raised to the least of one second
    rig.create(rig.define())
    rig.stable()
    task = rig.tasks()[0]
    rig.targets.calls.clear()
    rig.ecs.update_service(cluster="c", service="web", desiredCount=0)
    draining = eventually(lambda: rig.task(task["taskArn"]), lambda t: t["lastStatus"] == "DEACTIVATING")
    assert draining["desiredStatus"] == "STOPPED"
    assert len(rig.runtime.alive()) == 1, "it serves while it drains"
    stopped = rig.stopped(task["taskArn"])
    (drain, _, begun), (remove, _, ended) = rig.targets.calls
    assert (drain, remove) == ("drain", "remove")
    assert ended - begun >= 1.0
    assert stopped["executionStoppedAt"] > stopped["stoppingAt"]
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert stopped["stoppedReason"].startswith("Scaling activity initiated by (deployment ecs-svc/")
    assert stopped["containers"][0]["exitCode"] in {0, 143}


def test_a_change_of_the_desired_count_is_no_deployment(rig: Rig) -> None:
    rig.create(rig.define())
    before = rig.stable()["deployments"][0]["id"]
    rig.ecs.update_service(cluster="c", service="web", desiredCount=3, deploymentConfiguration={"maximumPercent": 150})
    service = eventually(rig.service, lambda s: s["runningCount"] == 3)
    assert [d["id"] for d in service["deployments"]] == [before]
    assert service["deploymentConfiguration"]["minimumHealthyPercent"] == 100
    rig.ecs.update_service(cluster="c", service="web", desiredCount=1)
    eventually(lambda: len(rig.runtime.alive()), lambda count: count == 1)
    assert len(rig.ecs.list_service_deployments(cluster="c", service="web")["serviceDeployments"]) == 1


def test_the_same_task_definition_again_is_no_deployment_unless_forced(rig: Rig) -> None:
    definition = rig.define()
    rig.create(definition)
    before = rig.stable()["deployments"][0]["id"]
    same = rig.ecs.update_service(cluster="c", service="web", taskDefinition=definition)["service"]
    assert same["deployments"][0]["id"] == before
    forced = rig.ecs.update_service(cluster="c", service="web", taskDefinition=definition, forceNewDeployment=True)
    assert forced["service"]["deployments"][0]["id"] != before


def test_a_newer_deployment_supersedes_one_under_way(rig: Rig) -> None:
    rig.create(rig.define())
    rig.stable()
    rig.targets.judge = lambda address: TargetHealth("healthy" if address.endswith(".1") else "initial")
    rig.ecs.update_service(cluster="c", service="web", taskDefinition=rig.define())
    eventually(rig.service, lambda s: s["runningCount"] == 2)
    rig.targets.judge = lambda address: TargetHealth("initial" if address.endswith(".2") else "healthy")
    third = rig.define()
    rig.ecs.update_service(cluster="c", service="web", taskDefinition=third)
    rig.stable()
    assert {t["taskDefinitionArn"] for t in rig.tasks()} == {third}
    assert rig.deployment(0)["status"] == "SUCCESSFUL"
    assert rig.deployment(1)["status"] == "STOPPED"
    assert rig.deployment(1)["finishedAt"] <= rig.deployment(0)["finishedAt"]


def test_a_scheduler_at_0_100_never_has_two_processes(rig: Rig) -> None:
    half = {"minimumHealthyPercent": 0, "maximumPercent": 100}
    rig.create(rig.define(), balanced=False, deploymentConfiguration=half)
    rig.stable()
    most = 0
    for _ in range(2):
        rig.ecs.update_service(cluster="c", service="web", forceNewDeployment=True)

        def alive_and_stable() -> bool:
            nonlocal most
            most = max(most, len(rig.runtime.alive()))
            return bool(rig.service()["deployments"][0]["rolloutState"] == "COMPLETED")

        eventually(alive_and_stable, bool)
    assert most == 1
    stops = [t["stoppedAt"] for t in sorted(rig.tasks("STOPPED"), key=lambda t: t["createdAt"])]
    starts = [t["createdAt"] for t in sorted([*rig.tasks("STOPPED"), *rig.tasks()], key=lambda t: t["createdAt"])]
    assert all(stop <= start for stop, start in zip(stops, starts[1:], strict=True))


def test_tasks_killed_at_random_during_a_release_are_replaced(rig: Rig) -> None:
    rig.create(rig.define(), desired=3)
    rig.stable()
    final = rig.define()
    rig.ecs.update_service(cluster="c", service="web", taskDefinition=final)
    for victim in (2, 0, 1):
        containers = [c for _, c in rig.runtime.containers if c.poll() is None]
        containers[victim % len(containers)].kill()
    service = rig.stable()
    assert service["runningCount"] == 3
    assert {t["taskDefinitionArn"] for t in rig.tasks()} == {final}
    killed = [t for t in rig.tasks("STOPPED") if t["stopCode"] == "EssentialContainerExited"]
    assert {t["containers"][0]["exitCode"] for t in killed} == {137}
    assert {t["stoppedReason"] for t in killed} == {"Essential container in task exited"}


def test_a_dead_task_is_replaced_after_the_deployment_too(rig: Rig) -> None:
    rig.create(rig.define())
    deployment = rig.stable()["deployments"][0]["id"]
    dead = rig.tasks()[0]["taskArn"]
    rig.runtime.containers[0][1].kill()
    rig.stopped(dead)
    service = eventually(rig.stable, lambda s: s["runningCount"] == 1 and rig.tasks()[0]["taskArn"] != dead)
    assert service["deployments"][0]["id"] == deployment


def test_deleting_drains_and_ends_inactive(rig: Rig) -> None:
    rig.create(rig.define())
    rig.stable()
    with pytest.raises(ClientError, match="The service cannot be stopped while it is scaled above 0"):
        rig.ecs.delete_service(cluster="c", service="web")
    with pytest.raises(ClientError) as refused:
        rig.ecs.delete_cluster(cluster="c")
    assert refused.value.response["Error"]["Code"] == "ClusterContainsServicesException"
    assert rig.ecs.delete_service(cluster="c", service="web", force=True)["service"]["status"] == "DRAINING"
    with pytest.raises(ClientError) as gone:
        rig.ecs.update_service(cluster="c", service="web", desiredCount=1)
    assert gone.value.response["Error"]["Code"] == "ServiceNotActiveException"
    eventually(rig.service, lambda s: s["status"] == "INACTIVE")
    assert rig.runtime.alive() == []
    assert rig.ecs.list_services(cluster="c")["serviceArns"] == []
    assert rig.ecs.delete_cluster(cluster="c")["cluster"]["status"] == "INACTIVE"


def test_application_auto_scaling_and_tags_find_the_service(rig: Rig) -> None:
    arn = rig.create(rig.define(), desired=0, tags=[{"key": "team", "value": "stock"}])["serviceArn"]
    rig.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs", ResourceId="service/c/web", ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=1, MaxCapacity=4,
    )  # fmt: skip
    rig.ecs.tag_resource(resourceArn=arn, tags=[{"key": "tier", "value": "web"}])
    described = rig.ecs.describe_services(cluster="c", services=[arn], include=["TAGS"])["services"][0]
    assert {t["key"]: t["value"] for t in described["tags"]} == {"team": "stock", "tier": "web"}
    assert "tags" not in rig.service()


def test_describe_and_list(rig: Rig) -> None:
    definition = rig.define()
    for number in range(3):
        rig.ecs.create_service(cluster="c", serviceName=f"s{number}", taskDefinition=definition, desiredCount=0,
                               launchType="FARGATE", networkConfiguration=rig.network)  # fmt: skip
    first = rig.ecs.list_services(cluster="c", maxResults=2)
    rest = rig.ecs.list_services(cluster="c", maxResults=2, nextToken=first["nextToken"])
    assert [a.split("/")[-1] for a in (*first["serviceArns"], *rest["serviceArns"])] == ["s0", "s1", "s2"]
    assert "nextToken" not in rest
    answer = rig.ecs.describe_services(cluster="c", services=["s1", "nope"])
    assert [s["serviceName"] for s in answer["services"]] == ["s1"]
    assert answer["failures"] == [{"arn": "arn:aws:ecs:eu-west-1:123456789012:service/c/nope", "reason": "MISSING"}]


def test_managed_tags_name_cluster_and_service(rig: Rig) -> None:
    rig.create(
        rig.define(),
        enableECSManagedTags=True,
        propagateTags="SERVICE",
        tags=[{"key": "team", "value": "stock"}],
    )
    rig.stable()
    (arn,) = (task["taskArn"] for task in rig.tasks())
    task = rig.ecs.describe_tasks(cluster="c", tasks=[arn], include=["TAGS"])["tasks"][0]
    assert {each["key"]: each["value"] for each in task["tags"]} == {
        "team": "stock",
        "aws:ecs:clusterName": "c",
        "aws:ecs:serviceName": "web",
    }


def test_client_token_makes_create_idempotent(rig: Rig) -> None:
    definition = rig.define()
    first = rig.create(definition, desired=0, balanced=False, clientToken="once")
    assert rig.create(definition, desired=0, balanced=False, clientToken="once")["serviceArn"] == first["serviceArn"]
    with pytest.raises(ClientError, match="Creation of service was not idempotent"):
        rig.create(definition, desired=0, balanced=False)


def test_without_a_launch_type_nothing_can_be_placed(rig: Rig) -> None:
    """EC2 is the default, and there are no container instances: exactly what AWS says."""
    rig.ecs.create_service(cluster="c", serviceName="web", taskDefinition=rig.define(), desiredCount=1,
                           networkConfiguration=rig.network)  # fmt: skip
    events = eventually(rig.events, bool)
    assert "unable to place a task because no container instance met all of its requirements" in events[0]
    assert rig.service()["runningCount"] == 0


def test_percentages_that_allow_no_step_are_told(rig: Rig) -> None:
    stuck = {"minimumHealthyPercent": 100, "maximumPercent": 100}
    rig.create(rig.define(), deploymentConfiguration=stuck)
    rig.stable()
    rig.ecs.update_service(cluster="c", service="web", forceNewDeployment=True)
    eventually(
        rig.events, lambda events: any("was unable to stop or start tasks during a deployment" in e for e in events)
    )
    rig.ecs.update_service(cluster="c", service="web", deploymentConfiguration={"maximumPercent": 200})
    rig.stable()


def test_stop_ends_every_task_and_thread(tmp_path: Path) -> None:
    with emulated_ecs(tmp_path) as rig:
        rig.targets.delay = 300_000.0
        rig.create(rig.define(), desired=2)
        rig.stable()
        rig.ecs.update_service(cluster="c", service="web", desiredCount=1)
        eventually(lambda: {t["lastStatus"] for t in rig.tasks("STOPPED")}, lambda statuses: "DEACTIVATING" in statuses)
        rig.engine.stop()
        assert rig.runtime.alive() == []
        assert rig.targets.serving() == set()
        states = [t["lastStatus"] for t in itertools.chain(rig.tasks("STOPPED"), rig.tasks())]
        assert states == ["STOPPED", "STOPPED"]


def test_a_family_means_its_latest_active_revision_and_lists_are_sorted(rig: Rig) -> None:
    arns = [rig.define() for _ in range(3)]
    family = arns[0].rsplit("/", 1)[1].split(":")[0]
    rig.ecs.deregister_task_definition(taskDefinition=arns[2])
    described = rig.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert described["taskDefinitionArn"] == arns[1]
    assert rig.ecs.describe_task_definition(taskDefinition=arns[2])["taskDefinition"]["status"] == "INACTIVE"
    listed = rig.ecs.list_task_definitions(familyPrefix=family, sort="DESC")["taskDefinitionArns"]
    assert listed == [arns[1], arns[0]]
    assert rig.ecs.list_task_definitions(familyPrefix=family, status="INACTIVE")["taskDefinitionArns"] == [arns[2]]
    with pytest.raises(ClientError, match="Unable to describe task definition"):
        rig.ecs.describe_task_definition(taskDefinition="nothing")
