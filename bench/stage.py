"""The example application in a repository of its own, and an emulator that it is released on."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial import infra, release
from seatrial.aws.session import Aws
from seatrial.config.load import load
from seatrial.emulator import process as emulators
from seatrial.publish.build import build
from seatrial.rehearsal.manner import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.config.models import Settings
    from seatrial.emulator.state import EmulatorInfo
    from seatrial.release import Outcome
    from seatrial.release.watch import ReleaseEvent

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "stockweb"
ENVIRONMENT = "local"

#: Name of the emulators. Commands are told it in SEATRIAL_EMULATOR.
NAME = "bench"
#: AWS's own waits are this much shorter, as in ``seatrial rehearse``: what is left is what this machine does.
TIME_SCALE = USUAL


@dataclass(frozen=True)
class Stage:
    """A project with an emulator that runs."""

    project: Path
    info: EmulatorInfo

    @property
    def settings(self) -> Settings:
        """The project's settings."""
        return settings_of(self.project)

    @property
    def aws(self) -> Aws:
        """The emulator, as AWS."""
        return Aws(self.settings.app.region, endpoint=self.info.endpoint)

    @property
    def url(self) -> str:
        """Where the load balancer answers. There is none before :meth:`apply`."""
        status = emulators.status(NAME, self.project)
        assert status is not None  # it runs for as long as there is a stage
        return str(status["listeners"][0]["url"])

    def apply(self) -> None:
        """Create the infrastructure."""
        infra.apply(self.settings, self.aws)

    def deploy(self, on_event: Callable[[ReleaseEvent], None] = lambda _event: None) -> Outcome:
        """Release the working tree. Raises ``RuntimeError`` when that fails: there is nothing to measure then."""
        outcome = release.deploy(self.settings, self.project, self.aws, on_event=on_event)
        if not outcome.ok:
            raise RuntimeError("\n".join([f"the release failed: {outcome.message}", *outcome.details]))
        return outcome

    def commit(self, text: str) -> None:
        """Commit a change that makes another version of the application."""
        (self.project / "stockweb" / "round.py").write_text(f'"""{text}"""\n', encoding="utf-8")
        _git(self.project, "add", "--all")
        _git(self.project, "commit", "--quiet", "--message", text)


@contextmanager
def started(project: Path) -> Iterator[Stage]:
    """Start an emulator for the project, and stop it whatever happens."""
    region = settings_of(project).app.region
    info = emulators.start(NAME, project, runtime="process", time_scale=TIME_SCALE, region=region)
    try:
        yield Stage(project, info)
    finally:
        emulators.stop(NAME, project)


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a directory for as long as it lasts. The account that root gives databases to can go there too."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


def copied(target: Path) -> Path:
    """Copy what git knows of the example application, commit it in a repository of its own, and return its place."""
    listing = ["git", "-C", str(EXAMPLE), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, check=True, capture_output=True, text=True).stdout
    for name in filter(None, found.split("\0")):
        if (EXAMPLE / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(EXAMPLE / name, target / name)
    _git(target, "init", "--quiet")
    _git(target, "add", "--all")
    _git(target, "commit", "--quiet", "--message", "v1")
    _bring_site(target)
    return target


def settings_of(project: Path) -> Settings:
    """Return the settings that are measured with."""
    return load(project / "seatrial.toml", ENVIRONMENT)


def say(text: str) -> None:
    """Tell the person at the terminal what goes on."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def _bring_site(project: Path) -> None:
    """Give a copy the site as it was built here: what npm needs for a first build is not seatrial's time."""
    site = settings_of(EXAMPLE).site
    if site is None:
        return
    built = build(site, EXAMPLE, None, say)
    shutil.copytree(built.folder, project / ".seatrial" / "sites" / built.folder.name)
    (project / ".seatrial" / ".gitignore").write_text("*\n", encoding="utf-8")


def _git(directory: Path, *arguments: str) -> None:
    who = ["-c", "user.name=bench", "-c", "user.email=bench@example.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(directory), *who, *arguments], check=True, capture_output=True)
