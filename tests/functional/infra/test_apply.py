"""``infra apply`` from nothing to the second release, on an emulator. The tests build on each other, in this order."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.cloudformation import CloudFormation
from seatrial.aws.session import Aws
from seatrial.cli import main
from seatrial.emulator import process
from seatrial.errors import ReleaseFailed, UsageError
from seatrial.infra import Applied, apply
from seatrial.infra.changes import planned, refuse_losses
from seatrial.stack import names
from seatrial.stack.build import build
from seatrial.stack.lowering.data import DATABASE_NAME
from tests.functional.emulator.support import Running, emulator, eventually
from tests.unit.stack.support import WEB, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.config.models import Settings

CLUSTER = "shop-production"
TAGS = {"seatrial-app": "shop"}
LIVE = "registry.example/shop:2"


def shop(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "services": {"web": WEB, "beat": {"role": "scheduler", "command": ["celery", "beat"]}},
        "tasks": {"migrate": {"command": ["python", "manage.py", "migrate"]}},
        "database": {"deletion_protection": False},
        "cache": {},
        "media": {},
        "secrets": {"DJANGO_SECRET_KEY": {"generate": 50}},
        "target": {"cloud": "emulator"},
    }
    return settings(**values | changes)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("infra")) as started:
        yield started


@pytest.fixture
def aws(running: Running) -> Aws:
    return Aws(running.info.region, endpoint=running.info.endpoint)


def service(aws: Aws, name: str = "web") -> dict[str, Any]:
    found: dict[str, Any] = aws.client("ecs").describe_services(cluster=CLUSTER, services=[name])["services"][0]
    return found


def image_of(aws: Aws, revision: str) -> str:
    document = aws.client("ecs").describe_task_definition(taskDefinition=revision)["taskDefinition"]
    return str(document["containerDefinitions"][0]["image"])


def newest(aws: Aws, family: str = "shop-production-web") -> str:
    arns = aws.client("ecs").list_task_definitions(familyPrefix=family, status="ACTIVE")["taskDefinitionArns"]
    return str(max(arns, key=lambda arn: int(arn.rsplit(":", 1)[-1])))


def register(aws: Aws, image: str, unit: str) -> str:
    """Do what a release does: the newest revision of the family, with another image."""
    document = aws.client("ecs").describe_task_definition(taskDefinition=newest(aws, f"{CLUSTER}-{unit}"))
    known = {"family", "containerDefinitions", "cpu", "memory", "networkMode", "requiresCompatibilities",
             "executionRoleArn", "taskRoleArn", "runtimePlatform"}  # fmt: skip
    kept = {key: value for key, value in document["taskDefinition"].items() if key in known}
    kept["containerDefinitions"][0]["image"] = image
    return str(aws.client("ecs").register_task_definition(**kept)["taskDefinition"]["taskDefinitionArn"])


def actions(applied: Applied) -> list[str]:
    return [outcome.action for outcome in applied.stacks]


def test_from_nothing(aws: Aws) -> None:
    said: list[str] = []
    applied = apply(shop(), aws, said.append)
    assert actions(applied) == ["created", "created"]
    assert tuple(sorted(applied.outputs)) == tuple(sorted(names.APP_OUTPUTS))
    assert applied.outputs["ClusterName"] == CLUSTER
    assert len(applied.outputs["TaskSubnets"].split(",")) == 2
    assert any("CREATE_COMPLETE" in line and "Data/Database (AWS::RDS::DBInstance)" in line for line in said)
    assert service(aws)["desiredCount"] == 0
    assert image_of(aws, service(aws)["taskDefinition"]).endswith("/shop:none")


def test_what_containers_are_told_is_there(aws: Aws) -> None:
    document = aws.client("ecs").describe_task_definition(taskDefinition=newest(aws))["taskDefinition"]
    container = document["containerDefinitions"][0]
    told = {each["name"]: each["value"] for each in container["environment"]}
    secret = {each["name"]: each["valueFrom"] for each in container["secrets"]}
    database = aws.client("rds").describe_db_instances()["DBInstances"][0]
    assert (told["PGHOST"], told["PGPORT"]) == (database["Endpoint"]["Address"], str(database["Endpoint"]["Port"]))
    assert told["PGDATABASE"] == "app"
    assert secret["PGPASSWORD"] == f"{database['MasterUserSecret']['SecretArn']}:password::"
    assert told["REDIS_URL"].startswith("redis://")
    (cors,) = aws.client("s3").get_bucket_cors(Bucket=told["MEDIA_BUCKET"])["CORSRules"]
    host = aws.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["DNSName"]
    assert cors["AllowedOrigins"] == [f"http://{host}"]
    aws.client("s3").put_object(Bucket=told["MEDIA_BUCKET"], Key="parts/1.txt", Body=b"uploaded")
    value = aws.client("secretsmanager").get_secret_value(SecretId=secret["DJANGO_SECRET_KEY"])
    assert len(value["SecretString"]) == 50


def test_every_property_comes_to_something_on_the_emulator(running: Running) -> None:
    page = process.status("local", running.project)
    assert page is not None
    assert [line for line in page["state_only"] if line.endswith("is not applied")] == []


def test_again_is_nothing(aws: Aws) -> None:
    said: list[str] = []
    assert actions(apply(shop(), aws, said.append)) == ["unchanged", "unchanged"]
    assert said == []


def test_a_change_writes_the_next_revision_and_moves_nothing(aws: Aws) -> None:
    before, revision = service(aws), newest(aws)
    applied = apply(shop(environment={"FEATURE": "on"}), aws)
    assert actions(applied) == ["unchanged", "updated"]
    changed = {each.path: each.change.replacement for each in applied.stacks[1].changes}
    assert changed["Services/WebTaskDefinition"] == "True"
    assert "Services/WebService" not in changed
    assert newest(aws) != revision
    after = service(aws)
    assert after["taskDefinition"] == before["taskDefinition"] == revision
    assert [each["id"] for each in after["deployments"]] == [each["id"] for each in before["deployments"]]
    old = aws.client("ecs").describe_task_definition(taskDefinition=revision)["taskDefinition"]
    assert old["status"] == "ACTIVE"  # a rollback can go there


def test_right_after_a_release_there_is_nothing_to_do(aws: Aws) -> None:
    for unit in ("web", "beat"):
        revision = register(aws, LIVE, unit)
        aws.client("ecs").update_service(cluster=CLUSTER, service=unit, taskDefinition=revision)
        eventually(functools.partial(at_rest, aws, unit))
    assert actions(apply(shop(environment={"FEATURE": "on"}), aws)) == ["unchanged", "unchanged"]


def at_rest(aws: Aws, unit: str) -> bool:
    deployments = service(aws, unit)["deployments"]
    return len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED"


def test_after_a_release_a_change_is_written_with_the_live_image_and_still_moves_nothing(aws: Aws) -> None:
    before = service(aws)
    said: list[str] = []
    applied = apply(shop(environment={"FEATURE": "off"}), aws, said.append)
    assert actions(applied) == ["unchanged", "updated"]
    assert any("counts of services" in line for line in said)
    assert image_of(aws, newest(aws)) == LIVE
    assert newest(aws) != before["taskDefinition"]
    after = service(aws)
    assert after["taskDefinition"] == before["taskDefinition"]
    assert [each["id"] for each in after["deployments"]] == [each["id"] for each in before["deployments"]]
    stack = CloudFormation(aws).stack(CLUSTER)
    assert stack is not None
    assert {key: stack.parameters[key] for key in ("ImageUri", "WebReleased", "BeatReleased")} == {
        "ImageUri": LIVE, "WebReleased": "true", "BeatReleased": "true",
    }  # fmt: skip


def test_a_service_that_is_touched_never_gets_what_a_release_failed_with(aws: Aws) -> None:
    failed = register(aws, "registry.example/shop:broken", "web")
    said: list[str] = []
    web = WEB | {"grace_period": 90}
    changed = shop(environment={"FEATURE": "off"}, services=shop().model_dump()["services"] | {"web": web})
    assert actions(apply(changed, aws, said.append)) == ["unchanged", "updated"]
    assert any("left by a release that did not go live" in line for line in said)
    eventually(lambda: at_rest(aws, "web"))
    after = service(aws)
    assert after["healthCheckGracePeriodSeconds"] == 90
    assert after["taskDefinition"] != failed
    assert image_of(aws, after["taskDefinition"]) == LIVE


def test_a_bucket_is_not_lost_by_accident(aws: Aws) -> None:
    without = shop(environment={"FEATURE": "off"}, media=None)
    with pytest.raises(UsageError, match="would remove or replace") as error:
        apply(without, aws)
    assert "--replace MediaBucket" in (error.value.hint or "")
    stack = CloudFormation(aws).stack(CLUSTER)
    assert stack is not None
    assert stack.status == "UPDATE_COMPLETE"


def test_a_replacement_of_the_database_in_its_nested_stack_is_shown_and_refused(aws: Aws) -> None:
    """seatrial.toml cannot ask for one, as the database keeps its name; the base's parameter can."""
    cloudformation = CloudFormation(aws)
    arn = cloudformation.create_change_set(
        names.base_stack(shop()), "renamed", template=None, parameters={DATABASE_NAME: "other"}, tags=TAGS, new=False
    )
    changes = tuple(planned(cloudformation.change_set(arn), cloudformation))
    assert "~ Data/Database (AWS::RDS::DBInstance) DBName REPLACEMENT" in [str(each) for each in changes]
    with pytest.raises(UsageError, match="would remove or replace") as error:
        refuse_losses(changes, frozenset())
    assert "--replace Database" in (error.value.hint or "")
    cloudformation.delete_change_set(arn)


def test_the_first_cause_of_a_failure_is_named(aws: Aws) -> None:
    balancer = aws.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    listener = aws.client("elbv2").describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"][0]
    taken = shop(services=shop().model_dump()["services"] | {"web": WEB | {"routes": ["/*", "/api/*"]}})
    priority = next(
        route.priority
        for each in build(taken).app.services
        if each.balancing
        for route in each.balancing.routes
        if route.patterns == ("/api/*",)
    )
    aws.client("elbv2").create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=priority,
        Conditions=[{"Field": "path-pattern", "Values": ["/taken"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "204"}}],
    )
    before = service(aws)
    with pytest.raises(ReleaseFailed) as error:
        apply(taken, aws)
    assert f"Services/Route{priority} (AWS::ElasticLoadBalancingV2::ListenerRule)" in error.value.message
    assert service(aws)["taskDefinition"] == before["taskDefinition"]


def test_what_is_not_confirmed_leaves_nothing_behind(aws: Aws) -> None:
    staging = shop(name="staging")
    with pytest.raises(UsageError, match="not confirmed"):
        apply(staging, aws, approve=lambda stack, _: stack != "shop-staging")
    eventually(lambda: CloudFormation(aws).stack("shop-staging") is None)


def test_the_command(running: Running, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", running.info.endpoint)
    file = running.project / "seatrial.toml"
    file.write_text(
        f"""
        [app]
        name = "kiosk"
        settings = "kiosk.settings"
        region = "{running.info.region}"

        [services.worker]
        role = "worker"
        command = ["celery"]

        [jobs.digest]
        command = ["true"]
        schedule = "cron(0 6 * * ? *)"

        [smoke.digest]
        command = ["true"]

        [environments.local]
        cloud = "emulator"
        """
    )
    with pytest.raises(SystemExit) as end:
        main(["infra", "apply", "local", "--json", "--config", str(file)])
    assert not end.value.code
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert [each["action"] for each in told["stacks"]] == ["created", "created"]
    assert told["outputs"]["ClusterName"] == "kiosk-local"
    assert "note: [smoke] is not asked" in printed.err
    assert "[jobs.digest]" not in printed.err
