"""The stage for end-to-end tests: a copy of the example application in a repository of its own, an emulator, releases.

Everything is what a user has: the command line's own functions, the emulator's own process, real traffic.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seatrial import infra, release
from seatrial.aws.ecs import Ecs
from seatrial.aws.session import Aws
from seatrial.config.load import load
from seatrial.emulator import process as emulators
from seatrial.errors import SeatrialError
from seatrial.publish.build import build
from seatrial.rehearsal.load import Load, Sample
from seatrial.rehearsal.probe import Aim
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from seatrial.config.models import Settings
    from seatrial.emulator.state import EmulatorInfo
    from seatrial.release import Outcome
    from seatrial.release.watch import ReleaseEvent

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "stockweb"

#: AWS's own waits are this much shorter. What the machine needs for starting processes stays as long as it takes.
TIME_SCALE = 0.1


@dataclass
class Stage:
    """One project on one emulator. ``events`` are those of the last release."""

    project: Path
    info: EmulatorInfo
    environment: str = "local"
    events: list[ReleaseEvent] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return load(self.project / "seatrial.toml", self.environment)

    @property
    def aws(self) -> Aws:
        return Aws(self.settings.app.region, endpoint=self.info.endpoint)

    @property
    def ecs(self) -> Ecs:
        return Ecs(self.aws, names.cluster(self.settings))

    @property
    def url(self) -> str:
        status = emulators.status(self.info.name, self.project)
        assert status is not None
        return str(status["listeners"][0]["url"]).rstrip("/")

    def apply(self) -> None:
        infra.apply(self.settings, self.aws, print)

    def deploy(self, revision: str | None = None, **options: Any) -> Outcome:
        self.events = []
        return release.deploy(
            self.settings, self.project, self.aws, revision=revision, on_event=self.events.append, **options
        )

    def told(self, **options: Any) -> tuple[int, str]:
        """Deploy; return the exit code and everything that a person is told in the end."""
        try:
            outcome = self.deploy(**options)
        except SeatrialError as error:
            return error.exit_code, "\n".join([error.message, *error.details, error.hint or ""])
        causes = [str(cause.to_json()) for cause in outcome.causes]
        return outcome.exit_code, "\n".join([outcome.message, *outcome.details, *causes])

    def load(self, output: Path, *, rate: float, paths: Sequence[str] = ("/livez", "/")) -> Load:
        return Load(Aim(self.url, tuple(paths)), rate, output, at_most=300)

    def healthy_addresses(self) -> set[str]:
        """Return the addresses of the web tasks that the load balancer holds healthy."""
        client = self.aws.client("elbv2")
        group = self.ecs.services(["web"])["web"].attachments[0].target_group
        answer = client.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"] for each in answer if each["TargetHealth"]["State"] == "healthy"}

    def wait_until_whole(self, service: str, timeout: float = 120.0) -> None:
        """Wait until a service runs what it should, by ECS's own waiter."""
        waiter = self.aws.client("ecs").raw.get_waiter("services_stable")
        waiter.wait(
            cluster=names.cluster(self.settings), services=[service],
            WaiterConfig={"Delay": 1, "MaxAttempts": int(timeout)},
        )  # fmt: skip

    def commit(self, message: str) -> str:
        git(self.project, "add", "--all")
        git(self.project, "commit", "--quiet", "--allow-empty", "--message", message)
        return git(self.project, "rev-parse", "HEAD")

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        file = self.project / path
        text = file.read_text()
        changed = change(text)
        assert changed != text, f"{path} is not as this test expects it"
        file.write_text(changed)

    @contextmanager
    def edited(self) -> Iterator[None]:
        """Undo whatever is changed in the project's files inside."""
        try:
            yield
        finally:
            git(self.project, "checkout", "--quiet", "--", ".")
            git(self.project, "clean", "--quiet", "--force", "-d")


@contextmanager
def raised(where: Path, runtime: Literal["process", "docker"], *, base_image: str | None = None) -> Iterator[Stage]:
    """Copy the example, start an emulator and create the infrastructure; nothing is released yet."""
    project = where / "project"
    copy_example(project)
    if base_image is not None:
        toml = project / "seatrial.toml"
        toml.write_text(
            toml.read_text().replace("[image]\n", f'[image]\nbuild_args = {{ BASE_IMAGE = "{base_image}" }}\n')
        )
        git(project, "commit", "--quiet", "--all", "--message", "the base image that is here")
    info = emulators.start("test", project, runtime=runtime, time_scale=TIME_SCALE, region=region(project))
    try:
        stage = Stage(project, info)
        stage.apply()
        yield stage
    finally:
        emulators.stop("test", project)


def copy_example(target: Path) -> None:
    """Copy what git knows of the example application and commit it in a repository of its own."""
    listing = subprocess.run(
        ["git", "-C", str(EXAMPLE), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listing.split("\0")):
        if (EXAMPLE / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(EXAMPLE / name, target / name)
    git(target, "init", "--quiet")
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--message", "v1")
    _bring_site(target)


def _bring_site(project: Path) -> None:
    """Give a copy the site as it was built here, so that one build serves all copies of all processes."""
    site = load(EXAMPLE / "seatrial.toml", "local").site
    assert site is not None
    own = Path(".seatrial", "sites")
    (EXAMPLE / own).mkdir(parents=True, exist_ok=True)
    with (EXAMPLE / own / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = build(site, EXAMPLE, None, print)
        shutil.copytree(built.folder, project / own / built.folder.name)
    (project / ".seatrial" / ".gitignore").write_text("*\n")


def region(project: Path) -> str:
    return load(project / "seatrial.toml", "local").app.region


def git(directory: Path, *arguments: str) -> str:
    names_ = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(directory), *names_, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def failures(samples: Sequence[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.failed]


def until(load: Load, requests: int, timeout: float = 240.0) -> None:
    """Wait until so many requests were answered."""
    pause = threading.Event()
    waited = 0.0
    while load.counts.done < requests:
        assert waited < timeout, f"only {load.counts.done} of {requests} requests were answered"
        pause.wait(0.25)
        waited += 0.25
