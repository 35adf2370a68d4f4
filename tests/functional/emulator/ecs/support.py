"""An ECS engine over real processes behind moto's API, for the functional tests of ECS.

An image is the name of a small Python program from :data:`PROGRAMS`; target health is what a test says it is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import boto3
from moto.cloudwatch.responses import CloudWatchResponse
from moto.codedeploy.responses import CodeDeployResponse
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer

from seatrial.emulator import alarms
from seatrial.emulator.addresses import Addresses, lease_block
from seatrial.emulator.clock import SystemClock
from seatrial.emulator.codedeploy import CodeDeploy
from seatrial.emulator.ecs import EcsEngine
from seatrial.emulator.front.actions import install
from seatrial.emulator.lambda_functions import LambdaFunctions
from seatrial.emulator.loadbalancing import TargetHealth
from seatrial.emulator.loadbalancing.service import LoadBalancing
from seatrial.emulator.loadbalancing.traffic import RuleWeights
from seatrial.emulator.runtime import ContainerSpec, ImageError, LogSink, Terminal
from seatrial.emulator.settings import EmulatorSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from seatrial.emulator.loadbalancing import Targets

T = TypeVar("T")
REGION = "eu-west-1"
#: Programs by image name. Each gets the container's command as its arguments.
PROGRAMS = {
    "sleeper": "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nprint('up', flush=True)\n"
    "while True: signal.pause()",
    "stubborn": "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\n"
    "while True: signal.pause()",
    "exit": "import sys\nprint('leaving', flush=True)\nsys.exit(int(sys.argv[1]))",
    "environment": "import os, sys\nfor name in sys.argv[1:]: print(name + '=' + os.environ.get(name, 'UNSET'))",
    "web": "import http.server, os, sys\n"
    "class Answer(http.server.BaseHTTPRequestHandler):\n"
    "    protocol_version = 'HTTP/1.1'\n"
    "    def do_GET(self):\n"
    "        self.send_response(200)\n"
    "        self.send_header('Content-Length', '0')\n"
    "        self.send_header('X-Name', sys.argv[1])\n"
    "        self.end_headers()\n"
    "    def log_message(self, *_): pass\n"
    "http.server.ThreadingHTTPServer.request_queue_size = 128\n"
    "http.server.ThreadingHTTPServer((os.environ['ADDRESS'], 8000), Answer).serve_forever()",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
}


class ScriptContainer:
    """A Python program in a process group of its own."""

    out_of_memory = False

    def __init__(self, process: subprocess.Popen[str], log: LogSink) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, args=(log,))
        self._reader.start()

    @property
    def runtime_id(self) -> str:
        return str(self._process.pid)

    def poll(self) -> int | None:
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def stop(self, timeout: float) -> int:
        with self._lock:
            self._signal(signal.SIGTERM)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                self._process.wait()
        code = self.poll()
        assert code is not None
        return code

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def run(self, command: Sequence[str], timeout: float) -> int:
        try:
            return subprocess.run(command, timeout=timeout, check=False, capture_output=True).returncode
        except subprocess.TimeoutExpired:
            return 124

    def execute(self, command: Sequence[str]) -> Terminal:
        raise OSError(f"a script has no terminal for {command[0]}")

    def close(self) -> None:
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _signal(self, number: int) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def _read(self, log: LogSink) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            log(line.rstrip("\n"))


class ScriptRuntime:
    """Runs :data:`PROGRAMS`. ``started`` has the container names in the order of their start."""

    name = "script"

    def __init__(self) -> None:
        self.containers: list[tuple[ContainerSpec, ScriptContainer]] = []
        self.pulling = threading.Event()
        self.may_pull = threading.Event()
        self.may_pull.set()

    def pull(self, image: str) -> None:
        self.pulling.set()
        self.may_pull.wait(30)
        if image.split(":", maxsplit=1)[0] not in PROGRAMS:
            raise ImageError(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
                f"failed to resolve ref {image}: {image}: not found"
            )

    def start(self, spec: ContainerSpec, log: LogSink) -> ScriptContainer:
        program = PROGRAMS[spec.image.split(":")[0]]
        argv = [*(spec.entry_point or (sys.executable, "-I", "-S", "-c", program)), *(spec.command or ())]
        process = subprocess.Popen(
            argv,
            env={"PATH": os.environ["PATH"], "ADDRESS": spec.address, **spec.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        container = ScriptContainer(process, log)
        self.containers.append((spec, container))
        return container

    def shutdown(self) -> None:
        for _, container in self.containers:
            container.kill()

    def alive(self) -> list[ContainerSpec]:
        return [spec for spec, container in list(self.containers) if container.poll() is None]


class MemoryTargets:
    """Targets whose health a test decides: ``judge`` takes an address, ``calls`` has what ECS asked, in order."""

    def __init__(self) -> None:
        self.judge: Callable[[str], TargetHealth] = lambda _address: TargetHealth("healthy")
        self.calls: list[tuple[str, str, float]] = []
        self.attached = True
        self.delay = 0.0
        self._states: dict[tuple[str, str, int], str] = {}

    def register(self, target_group: str, address: str, port: int) -> None:
        self._states[target_group, address, port] = "registered"
        self.calls.append(("register", address, time.monotonic()))

    def drain(self, target_group: str, address: str, port: int) -> None:
        self._states[target_group, address, port] = "draining"
        self.calls.append(("drain", address, time.monotonic()))

    def remove(self, target_group: str, address: str, port: int) -> None:
        self._states.pop((target_group, address, port), None)
        self.calls.append(("remove", address, time.monotonic()))

    def health(self, target_group: str, address: str, port: int) -> TargetHealth:
        state = self._states.get((target_group, address, port))
        if state is None:
            return TargetHealth("unused", "Target.NotRegistered")
        return TargetHealth("draining") if state == "draining" else self.judge(address)

    def draining_seconds(self, target_group: str) -> float:  # noqa: ARG002  # one delay for all groups
        return self.delay

    def is_attached(self, target_group: str) -> bool:  # noqa: ARG002  # all groups or none
        return self.attached

    def serving(self) -> set[str]:
        """Addresses that get new requests: registered, not draining, healthy."""
        return {
            address
            for (_, address, _), state in list(self._states.items())
            if state == "registered" and self.judge(address).state == "healthy"
        }


class Rig:
    """The engine, its seams and an AWS client, with shorthands for what most tests do."""

    def __init__(self, engine: EcsEngine, runtime: ScriptRuntime, targets: MemoryTargets, endpoint: str) -> None:
        self.engine, self.runtime, self.targets, self.endpoint = engine, runtime, targets, endpoint
        self.balancing: LoadBalancing | None = None
        self._clients: dict[str, Any] = {}
        self.ecs = self.client("ecs")
        self.ecs.create_cluster(clusterName="c")
        self._network: dict[str, Any] | None = None

    def client(self, service: str) -> Any:
        """A client of a service; made once, for making one takes longer than most calls."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
        return self._clients[service]

    @property
    def network(self) -> dict[str, Any]:
        if self._network is None:
            subnets = [s["SubnetId"] for s in self.client("ec2").describe_subnets()["Subnets"]]
            self._network = {"awsvpcConfiguration": {"subnets": subnets[:2]}}
        return self._network

    def define(self, image: str = "sleeper:1", *, family: str = "app", **container: Any) -> str:
        """Register a revision with one container called ``app`` (or those given as ``containers``)."""
        containers = container.pop("containers", None) or [
            {"name": "app", "image": image, "portMappings": [{"containerPort": 8000}], **container}
        ]
        answer = self.ecs.register_task_definition(
            family=family,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=containers,
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def create(self, definition: str, *, desired: int = 1, balanced: bool = True, **more: Any) -> dict[str, Any]:
        """Create service ``web``; where ``balanced``, in a target group."""
        if balanced:
            more["loadBalancers"] = [
                {"targetGroupArn": self.target_group(), "containerName": "app", "containerPort": 8000}
            ]
        answer: dict[str, Any] = self.ecs.create_service(
            cluster="c",
            serviceName="web",
            taskDefinition=definition,
            desiredCount=desired,
            launchType="FARGATE",
            networkConfiguration=self.network,
            **more,
        )["service"]
        return answer

    def target_group(self, name: str = "tg", target_type: str = "ip") -> str:
        elb = self.client("elbv2")
        known = [g for g in elb.describe_target_groups()["TargetGroups"] if g["TargetGroupName"] == name]
        if known:
            return str(known[0]["TargetGroupArn"])
        vpc = self.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        made = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType=target_type)
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def run(self, definition: str, **more: Any) -> dict[str, Any]:
        """Run one task."""
        answer = self.ecs.run_task(
            cluster="c", taskDefinition=definition, launchType="FARGATE", networkConfiguration=self.network, **more
        )
        assert answer["failures"] == []
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def service(self, name: str = "web") -> dict[str, Any]:
        found: dict[str, Any] = self.ecs.describe_services(cluster="c", services=[name])["services"][0]
        return found

    def task(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ecs.describe_tasks(cluster="c", tasks=[arn])["tasks"][0]
        return found

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster="c", serviceName="web", desiredStatus=status)["taskArns"]
        found: list[dict[str, Any]] = self.ecs.describe_tasks(cluster="c", tasks=arns)["tasks"] if arns else []
        return found

    def events(self) -> list[str]:
        """Messages of the service's events, oldest first."""
        return [e["message"] for e in reversed(self.service()["events"])]

    def deployment(self, index: int = 0) -> dict[str, Any]:
        """The service deployment ``index`` steps back, described."""
        arns = [
            d["serviceDeploymentArn"]
            for d in self.ecs.list_service_deployments(cluster="c", service="web")["serviceDeployments"]
        ]
        found: dict[str, Any] = self.ecs.describe_service_deployments(serviceDeploymentArns=[arns[index]])[
            "serviceDeployments"
        ][0]
        return found

    def stable(self) -> dict[str, Any]:
        """Wait until the PRIMARY deployment is COMPLETED and alone, and return the service."""
        return eventually(
            self.service,
            lambda s: (
                len(s["deployments"]) == 1
                and s["deployments"][0]["rolloutState"] == "COMPLETED"
                and s["runningCount"] == s["desiredCount"]
            ),
        )

    def stopped(self, arn: str) -> dict[str, Any]:
        return eventually(lambda: self.task(arn), lambda t: t["lastStatus"] == "STOPPED")

    def log(self, group: str) -> dict[str, list[str]]:
        """Lines by log stream."""
        logs = self.client("logs")
        return {
            s["logStreamName"]: [
                e["message"]
                for e in logs.get_log_events(logGroupName=group, logStreamName=s["logStreamName"], startFromHead=True)[
                    "events"
                ]
            ]
            for s in logs.describe_log_streams(logGroupName=group)["logStreams"]
        }


@contextmanager
def emulated_ecs(
    state: Path, *, time_scale: float = 0.01, proxy: Literal["envoy", "builtin"] | None = None
) -> Iterator[Rig]:
    """Serve moto with the engine's actions on a free port; ends every task and restores moto afterwards.

    With a ``proxy``, load balancers carry traffic to tasks that really answer.
    """
    moto_api_backend.reset()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    lease = lease_block() if proxy else None
    settings = EmulatorSettings(
        "test", state, port, lease.block if lease else 200, region=REGION, time_scale=time_scale, proxy=proxy or "envoy"
    )
    runtime, memory, clock = ScriptRuntime(), MemoryTargets(), SystemClock(time_scale)
    addresses, functions = Addresses(settings.block), LambdaFunctions(settings, clock)
    balancing = LoadBalancing(settings, clock, addresses) if proxy else None
    targets: Targets = balancing.targets if balancing else memory
    traffic = balancing.traffic if balancing else RuleWeights(lambda: None)
    engine = EcsEngine(settings, clock, runtime, targets, traffic, invoke=functions.invoke, addresses=addresses)
    codedeploy = CodeDeploy(settings, clock, engine.task_sets, traffic, invoke=functions.invoke)
    ours = {EC2ContainerServiceResponse: engine.actions(), CodeDeployResponse: codedeploy.actions()}
    originals = [(response, name, vars(response).get(name)) for response, actions in ours.items() for name in actions]
    described = CloudWatchResponse.describe_alarms
    if balancing:
        balancing.install()
        balancing.start()
        balancing.targets.subscribe(engine.notify)
    alarms.install(settings, clock)
    functions.install()
    for response, actions in ours.items():
        install(response, actions)
    engine.start()
    codedeploy.start()
    try:
        rig = Rig(engine, runtime, memory, f"http://{host}:{port}")
        rig.balancing = balancing
        yield rig
    finally:
        codedeploy.stop()
        engine.stop()
        functions.stop()
        if balancing:
            balancing.stop()
        server.stop()
        runtime.shutdown()
        CloudWatchResponse.describe_alarms = described
        for response, name, original in originals:
            if original is None:
                delattr(response, name)
            else:
                setattr(response, name, original)
        if lease:
            lease.release()
        assert runtime.alive() == []


def eventually(look: Callable[[], T], good: Callable[[T], bool], *, within: float = 40.0) -> T:
    """Look until it is good; the last look is shown where it never is."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"not within {within} s: {seen}"
        pause.wait(0.05)
    return seen
