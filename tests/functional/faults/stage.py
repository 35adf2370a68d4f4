"""Where a fault happens: an environment on an emulator, users who ask all the time, and seatrial as people run it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from seatrial.aws.ecs import Ecs
from seatrial.infra import apply
from seatrial.release.facts import app_stack
from seatrial.stack import names
from tests.functional.emulator.support import emulator, eventually, processes_of
from tests.functional.faults.project import FILES, MODES, SITE, SMOKE, TOML
from tests.functional.faults.proxy import Proxy, proxy
from tests.functional.release.support import Place, git, project, put_alarm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from seatrial.aws.ecs import Task
    from tests.functional.emulator.support import Running

SCALE = 0.02
ALARM = "errors"
_COMMON = f'alarms = ["{ALARM}"], breaker = {{ type = "count", value = 2 }}'
#: How the web service changes. A minute of bake time or interval takes 1.2 s.
STRATEGIES = {
    "rolling": f'strategy = {{ type = "rolling", bake = "1m", {_COMMON} }}\n{SITE}',
    "blue_green": f'strategy = {{ type = "blue_green", bake = "1m", {_COMMON} }}\n{SMOKE}',
    "canary": f'strategy = {{ type = "canary", percent = 20, interval = "1m", bake = "1m", {_COMMON} }}\n{SMOKE}',
    "codedeploy": f'strategy = {{ type = "codedeploy", wait = "1m", test_port = 9443, {_COMMON} }}\n{SMOKE}',
}
#: The line by which seatrial tells that the deployment of the web service is under way.
BEGUN = r"web: deployment (PENDING|IN_PROGRESS|Created|InProgress)"
#: The call that tells a service to change; its first one is for web.
CHANGES = "UpdateService|CreateDeployment"
#: Minutes that no test waits for.
LONG = 60


@dataclass
class Shop(Place):
    """The environment, with the version that serves, and the proxy that the command line goes through."""

    running: Running = field(kw_only=True)
    proxy: Proxy = field(kw_only=True)
    strategy: str = field(kw_only=True)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def write(self, **modes: Any) -> str:
        """Commit a version that behaves so, and return its name."""
        version = f"v{next(self.numbers)}"
        lines = {"VERSION": version, **MODES, **modes}
        text = "".join(f"{name} = {value!r}\n" for name, value in lines.items())
        (self.root / "tiny" / "mode.py").write_text(text)
        (self.root / "front").mkdir(exist_ok=True)
        (self.root / "front" / "mode").write_text(str(lines["SITE"]))
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", version)
        return version

    def page(self) -> str:
        """Return the page of the site, which is its mode; ``ok`` where there is no site."""
        site = app_stack(self.settings, self.aws).site
        if site is None:
            return "ok"
        with urllib.request.urlopen(site.url, timeout=10) as answer:
            return str(answer.read().decode())

    @property
    def ecs(self) -> Ecs:
        return Ecs(self.aws, names.cluster(self.settings))

    @property
    def released_commit(self) -> str:
        """The version as a release names it."""
        return git(self.root, "rev-parse", "HEAD")[:12]

    def versions(self) -> dict[str, str]:
        """Return the version of the revision that each service is at."""
        found = {}
        for unit, revision in self.revisions().items():
            document = self.ecs.task_definition(revision).document
            environment = {each["name"]: each["value"] for each in document["containerDefinitions"][0]["environment"]}
            found[unit] = environment["SEATRIAL_VERSION"]
        return found

    def newest(self) -> int:
        """Return the number of web's newest revision."""
        return int(self.ecs.task_definition(names.family(self.settings, "web")).name.rpartition(":")[2])

    def tasks(self) -> list[Task]:
        """Return the web tasks that run."""
        return [each for each in self.ecs.tasks_of("web") if each.status == "RUNNING"]

    def bake(self, minutes: int) -> None:
        """Set how long web bakes, or how long CodeDeploy keeps the old version. That starts no deployment."""
        if self.strategy == "codedeploy":
            codedeploy, application = self.aws.client("codedeploy"), names.deployment_application(self.settings)
            group = codedeploy.get_deployment_group(applicationName=application, deploymentGroupName="web")
            how = group["deploymentGroupInfo"]["blueGreenDeploymentConfiguration"]
            how["terminateBlueInstancesOnDeploymentSuccess"]["terminationWaitTimeInMinutes"] = minutes
            codedeploy.update_deployment_group(
                applicationName=application, currentDeploymentGroupName="web", blueGreenDeploymentConfiguration=how
            )
            return
        self.aws.client("ecs").update_service(
            cluster=names.cluster(self.settings), service="web", deploymentConfiguration={"bakeTimeInMinutes": minutes}
        )

    def scale(self, count: int) -> None:
        """Have so many web tasks."""
        self.aws.client("ecs").update_service(cluster=names.cluster(self.settings), service="web", desiredCount=count)
        eventually(lambda: len(self.tasks()) == count and self.healthy() == count)

    def at_rest(self, unit: str) -> bool:
        """Whether a service is at one revision, and done."""
        deployments = self.ecs.services([unit])[unit].deployments
        return [each.rollout_state for each in deployments] == ["COMPLETED"]

    def healthy(self) -> int:
        """Return how many web tasks get requests."""
        web = self.ecs.services(["web"])["web"]
        elb = self.aws.client("elbv2")
        return sum(
            each["TargetHealth"]["State"] == "healthy"
            for group in web.attachments[0].groups
            for each in elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        )

    def kill(self, *, newest: bool) -> None:
        """SIGKILL the process of a web task of the newest revision, or of one before."""
        number = self.newest()
        arn = next(each.arn for each in self.tasks() if each.task_definition.endswith(f":{number}") is newest)
        found = self.aws.client("ecs").describe_tasks(cluster=names.cluster(self.settings), tasks=[arn])
        os.kill(int(found["tasks"][0]["containers"][0]["runtimeId"].rpartition("-")[2]), signal.SIGKILL)

    def alarm(self, state: str) -> None:
        self.aws.client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="a test")

    def database(self, *, there: bool) -> None:
        rds = self.aws.client("rds")
        it = rds.describe_db_instances()["DBInstances"][0]
        if (it["DBInstanceStatus"] == "available") is not there:
            name = it["DBInstanceIdentifier"]
            (rds.start_db_instance if there else rds.stop_db_instance)(DBInstanceIdentifier=name)

    def broker(self, *, there: bool) -> None:
        """Have Valkey answer, or not any more (it is there and does not move, as behind a network that is cut)."""
        for pid, command in processes_of(self.running.info.state).items():
            if "valkey-server" in command:
                os.kill(pid, signal.SIGCONT if there else signal.SIGSTOP)

    def delete_image(self) -> None:
        """Remove the newest image from ECR, as a lifecycle rule may."""
        ecr, repository = self.aws.client("ecr"), names.repository(self.settings)
        tag = git(self.root, "rev-parse", "HEAD")[:12]
        deleted = ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
        assert not deleted["failures"], deleted


@contextlib.contextmanager
def shop(place: Path, strategy: str) -> Iterator[Shop]:
    """Make an environment with a strategy. Nothing was released to it."""
    with emulator(place / "emulator", time_scale=SCALE) as running, proxy(running.info.endpoint) as between:
        toml = TOML + STRATEGIES[strategy]
        settings, aws = project(place / "project", running.info.endpoint, toml, FILES)
        put_alarm(aws, ALARM)
        url = apply(settings, aws).outputs["Url"]
        yield Shop(place / "project", aws, settings, url, running=running, proxy=between, strategy=strategy)


class Users:
    """Ask for the page again and again, and keep what was answered: a version, or ``failed: ...``."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answers: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def failed(self) -> list[str]:
        return [each for each in self.answers if each.startswith("failed")]

    def _ask(self) -> None:
        while not self._stop.wait(0.03):
            try:
                with urllib.request.urlopen(f"{self._url}/home", timeout=10) as response:
                    self.answers.append(response.read().decode())
            except OSError as error:
                self.answers.append(f"failed: {error}")


@dataclass(frozen=True)
class At:
    """Something that is done at the first line of seatrial's that matches; ``NEW`` in it is web's next revision."""

    line: str
    do: Callable[[Cli], object]


class Cli:
    """``python -m seatrial`` in a process of its own, without a terminal, as in CI."""

    def __init__(self, it: Shop, *arguments: str, at: Sequence[At] = (), directly: bool = False) -> None:
        self.shop = it
        self.lines: list[str] = []
        new = str(it.newest() + 1)
        self._waiting = [At(each.line.replace("NEW", new), each.do) for each in at]
        self._broken: list[BaseException] = []
        endpoint = it.running.info.endpoint if directly else it.proxy.endpoint
        # A shell's background jobs ignore Ctrl-C, and what they start inherits that.
        heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"{heeding}; from seatrial.cli import main; main()", *arguments],
            cwd=it.root,
            env={**os.environ, "AWS_ENDPOINT_URL": endpoint},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def end(self) -> dict[str, Any]:
        """Wait for the end; return the document that it printed, with the exit code, {} if it was killed."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        text = self.process.stdout.read()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        assert not self._broken, self._broken
        assert not self._waiting, ("not reached", self._waiting, self.said)
        document: dict[str, Any] = json.loads(text) if text else {}
        return {**document, "exit_code": self.process.returncode}

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            while self._waiting and re.search(self._waiting[0].line, line):
                try:
                    self._waiting.pop(0).do(self)
                except Exception as error:  # noqa: BLE001 - told by the main thread
                    self._broken.append(error)
