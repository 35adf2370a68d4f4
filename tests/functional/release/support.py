"""A small project of its own in git, and a place on the emulator to release it to."""

from __future__ import annotations

import json
import subprocess
import textwrap
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from seatrial import release
from seatrial.aws.clock import SystemClock
from seatrial.aws.ecs import Ecs
from seatrial.aws.errors import AwsError
from seatrial.aws.s3 import S3
from seatrial.aws.session import Aws
from seatrial.aws.ssm import Ssm
from seatrial.config.load import load
from seatrial.release.record import Records
from seatrial.release.status import status
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.config.models import Settings
    from seatrial.release.outcome import Outcome
    from seatrial.release.status import Status
    from seatrial.release.watch import ReleaseEvent

#: CloudFront's own cache policy (developer guide, "Use managed cache policies").
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"

TOML = """\
[app]
name = "{app}"
settings = "tiny.settings"
[services.web]
command = ["python", "-m", "tiny.web"]
port = 8000
routes = ["/*"]
health_check = {{ path = "/ready", interval = 5, timeout = 2, healthy = 2, unhealthy = 2 }}
grace_period = 1
drain = 1
stop_timeout = 5
[services.worker]
role = "worker"
command = ["python", "-m", "tiny.worker"]
stop_timeout = 5
[tasks.migrate]
command = ["python", "-m", "tiny.gate"]
gate = true
timeout = 4
[environments.local]
cloud = "emulator"
"""

FILES = {
    "requirements.txt": "",
    "Dockerfile": "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n",
    "tiny/__init__.py": "",
    "tiny/settings.py": "",
    "tiny/gate.py": """\
        import sys, time
        from tiny import mode
        print("migrating", mode.GATE, flush=True)
        if mode.GATE == "hangs":
            time.sleep(600)
        if mode.GATE == "raises":
            raise RuntimeError("django.db.utils.ProgrammingError: column is in the way")
        """,
    "tiny/job.py": """\
        from tiny import mode
        print("ran on", mode.VERSION, flush=True)
        """,
    "tiny/worker.py": """\
        import os, signal, threading
        from tiny import mode
        if mode.WORKER == "exits":
            os.environ["BROKER_URL"]
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        stop.wait()
        """,
    "tiny/web.py": """\
        import os, signal, threading
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
        from tiny import mode
        if mode.WEB == "exits":
            import no_such_module

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                ready = self.path != "/ready" or isinstance(mode.WEB, str)
                status = mode.HOME if ready and self.path != "/ready" else 200 if ready else mode.WEB
                body = mode.VERSION.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("0.0.0.0", 8000), Handler)
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        print("serving", mode.VERSION, flush=True)
        server.serve_forever()
        """,
}


@dataclass
class Place:
    """One environment, made by API calls as an infrastructure tool would make it, and the project released to it."""

    root: Path
    aws: Aws
    settings: Settings
    url: str
    events: list[ReleaseEvent] = field(default_factory=list)

    def commit(
        self, version: str, *, web: str | int = "ok", home: int = 200, worker: str = "ok", gate: str = "ok"
    ) -> None:
        """Commit a version of the project that behaves so. ``home`` is the status of all pages but ``/ready``."""
        mode = f"VERSION = {version!r}\nWEB = {web!r}\nHOME = {home}\nWORKER = {worker!r}\nGATE = {gate!r}\n"
        (self.root / "tiny" / "mode.py").write_text(mode)
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", version)

    def deploy(self, **options: Any) -> Outcome:
        return release.deploy(self.settings, self.root, self.aws, on_event=self.events.append, **options)

    def rollback(self, **options: Any) -> Outcome:
        return release.rollback(self.settings, self.root, self.aws, on_event=self.events.append, **options)

    def status(self) -> Status:
        return status(self.settings, self.aws, SystemClock())

    def answer(self) -> str:
        """Return the version that answers through the load balancer."""
        with urllib.request.urlopen(self.url, timeout=10) as response:
            return str(response.read().decode())

    def revisions(self) -> dict[str, str]:
        services = Ecs(self.aws, names.cluster(self.settings)).services(tuple(self.settings.services))
        return {name: service.task_definition for name, service in services.items()}

    def desired(self) -> dict[str, int]:
        services = Ecs(self.aws, names.cluster(self.settings)).services(tuple(self.settings.services))
        return {name: service.desired for name, service in services.items()}

    @property
    def records(self) -> Records:
        return Records(Ssm(self.aws), names.release_prefix(self.settings))

    @property
    def locked(self) -> bool:
        return Ssm(self.aws).get(f"{names.release_prefix(self.settings)}/lock") is not None


class Asking:
    """Asks for a page again and again, and keeps what was answered."""

    def __init__(self, url: str, path: str = "/home") -> None:
        self.url = f"{url}{path}"
        self.answers: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.wait(0.02):
            try:
                with urllib.request.urlopen(self.url, timeout=10) as response:
                    self.answers.append(response.read().decode())
            except urllib.error.URLError as error:
                self.answers.append(f"failed: {error}")


def place(root: Path, endpoint: str, app: str, *, secret: str | None = None, more: str = "") -> Place:
    """Make a project in ``root`` and its environment on the emulator.

    ``secret``: web wants this (ARN) at start; ``more`` is added to seatrial.toml.
    """
    settings, aws = project(root, endpoint, TOML.format(app=app) + more)
    return Place(root, aws, settings, _infrastructure(settings, aws, secret))


def project(root: Path, endpoint: str, toml: str, files: Mapping[str, str] = FILES) -> tuple[Settings, Aws]:
    """Make a project in ``root`` with this seatrial.toml; return its settings, and AWS on the emulator."""
    root.mkdir(parents=True)
    for name, content in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(textwrap.dedent(content))
    (root / "seatrial.toml").write_text(toml)
    git(root, "init", "-q")
    git(root, "config", "user.name", "Test")
    git(root, "config", "user.email", "test@example.com")
    return _local(root, endpoint, "local")


def environment(root: Path, endpoint: str, name: str, *, secret: str | None = None) -> Place:
    """Make the infrastructure of one environment of a project that is there."""
    settings, aws = _local(root, endpoint, name)
    return Place(root, aws, settings, _infrastructure(settings, aws, secret))


def _local(root: Path, endpoint: str, name: str) -> tuple[Settings, Aws]:
    settings = load(root / "seatrial.toml", name)
    return settings, Aws.for_environment(settings, root, endpoint=endpoint)


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _infrastructure(settings: Settings, aws: Aws, secret: str | None) -> str:
    ec2, elb = aws.client("ec2"), aws.client("elbv2")
    ecs, logs = aws.client("ecs"), aws.client("logs")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = (("10.0.0.0/24", "a"), ("10.0.1.0/24", "b"))
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"{aws.region}{zone}")["Subnet"]["SubnetId"]
        for cidr, zone in zones
    ]
    group = ec2.create_security_group(GroupName=names.app_stack(settings), Description="tasks", VpcId=vpc)["GroupId"]
    balancer = elb.create_load_balancer(Name=names.app_stack(settings), Subnets=subnets)["LoadBalancers"][0]
    check = settings.services["web"].health_check
    assert check is not None
    target_group = elb.create_target_group(
        Name=names.family(settings, "web"),
        Protocol="HTTP",
        Port=8000,
        VpcId=vpc,
        TargetType="ip",
        HealthCheckPath=check.path,
        HealthCheckIntervalSeconds=check.interval,
        HealthCheckTimeoutSeconds=check.timeout,
        HealthyThresholdCount=check.healthy,
        UnhealthyThresholdCount=check.unhealthy,
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.modify_target_group_attributes(
        TargetGroupArn=target_group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]
    )
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )
    ecs.create_cluster(clusterName=names.cluster(settings))
    uri = _repository(settings, aws)
    for unit in (*settings.services, *settings.tasks, *settings.jobs):
        logs.create_log_group(logGroupName=names.log_group(settings, unit))
        ecs.register_task_definition(**_definition(settings, unit, uri, secret))
    for unit, service in settings.services.items():
        low, high = service.healthy_percents
        balanced = {
            "loadBalancers": [{"targetGroupArn": target_group, "containerName": unit, "containerPort": service.port}],
            "healthCheckGracePeriodSeconds": service.grace_period,
        }
        ecs.create_service(
            cluster=names.cluster(settings),
            serviceName=unit,
            taskDefinition=names.family(settings, unit),
            desiredCount=0,
            launchType="FARGATE",
            deploymentConfiguration={
                "minimumHealthyPercent": low,
                "maximumPercent": high,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
            networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}},
            enableExecuteCommand=settings.may_exec(unit),
            **(balanced if service.routed else {}),
        )
    url = f"http://{balancer['DNSName']}"
    _outputs(aws, names.app_stack(settings), {
        "ClusterName": names.cluster(settings),
        "RepositoryUri": uri,
        "TaskSubnets": ",".join(subnets),
        "TaskSecurityGroup": group,
        "AssignPublicIp": "ENABLED",
        "Url": url,
        **(_site(settings, aws) if settings.site else {}),
    })  # fmt: skip
    return url


def _site(settings: Settings, aws: Aws) -> dict[str, str]:
    """Make a bucket and a distribution for the site, and return the outputs that say where they are."""
    bucket = f"{names.app_stack(settings)}-site"
    S3(aws).ensure_private_bucket(bucket)
    cloudfront = aws.client("cloudfront")
    control = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": bucket,
            "OriginAccessControlOriginType": "s3",
            "SigningBehavior": "always",
            "SigningProtocol": "sigv4",
        }
    )["OriginAccessControl"]["Id"]
    origin = {
        "Id": "bucket",
        "DomainName": f"{bucket}.s3.{aws.region}.amazonaws.com",
        "OriginPath": f"/{names.LIVE_FOLDER}",
        "OriginAccessControlId": control,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behaviour = {"TargetOriginId": "bucket", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": CACHING_OPTIMIZED}
    made = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": bucket,
            "Comment": bucket,
            "Enabled": True,
            "DefaultRootObject": "index.html",
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behaviour,
        }
    )["Distribution"]
    reads = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/{names.LIVE_FOLDER}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": made["ARN"]}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    return {
        "SiteBucketName": bucket,
        "SiteDistributionId": made["Id"],
        "SiteDomainName": made["DomainName"],
        "SiteUrl": f"http://{made['DomainName']}",
    }


def _repository(settings: Settings, aws: Aws) -> str:
    ecr, name = aws.client("ecr"), names.repository(settings)
    try:
        return str(ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"])
    except AwsError:  # another environment's on the same base
        return str(ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"])


def _definition(settings: Settings, unit: str, uri: str, secret: str | None) -> dict[str, Any]:
    sized = settings.services.get(unit) or settings.tasks.get(unit) or settings.jobs[unit]
    container: dict[str, Any] = {
        "name": unit,
        "image": f"{uri}:none",
        "essential": True,
        "command": list(sized.command),
        "stopTimeout": 5,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": names.log_group(settings, unit),
                "awslogs-region": settings.app.region,
                "awslogs-stream-prefix": "ecs",
            },
        },
    }
    if unit == "web":
        container["portMappings"] = [{"containerPort": 8000}]
        if secret is not None:
            container["secrets"] = [{"name": "TOKEN", "valueFrom": secret}]
    return {
        "family": names.family(settings, unit),
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "containerDefinitions": [container],
    }


def put_alarm(aws: Aws, name: str) -> None:
    """Make an alarm that a strategy may name. It is not on."""
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="Shop", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1.0, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")


def _outputs(aws: Aws, stack: str, outputs: dict[str, str]) -> None:
    """Make a stack that says where everything is."""
    resource = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/{stack}/marker"}}
    template = {"Resources": {"Marker": resource}, "Outputs": {key: {"Value": text} for key, text in outputs.items()}}
    client = aws.client("cloudformation")
    client.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    client.raw.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
