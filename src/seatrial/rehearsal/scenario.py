"""The rehearsal: an emulator, the old infrastructure and version, load, the new ones, a broken one, the verdict.

The function :func:`rehearse` reads like that list. What it calls is what ``seatrial infra apply`` and
``seatrial deploy`` call; only the endpoint is the emulator's.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from seatrial import infra, release
from seatrial.aws.session import Aws
from seatrial.emulator import process as emulators
from seatrial.errors import ReleaseFailed, SeatrialError, UsageError
from seatrial.rehearsal import report
from seatrial.rehearsal.before import Before, before
from seatrial.rehearsal.fault import broken_copy, entry_module, marked_copy
from seatrial.rehearsal.load import Counts, Load
from seatrial.rehearsal.manner import manner, on_this_machine, scale_for
from seatrial.rehearsal.observed import Releases, task_spans
from seatrial.rehearsal.probe import Aim
from seatrial.rehearsal.revisions import old_revision, project_files, working_tree_version
from seatrial.rehearsal.timeline import build
from seatrial.rehearsal.verdict import Verdict, judge
from seatrial.release import oneoff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.config.models import Settings
    from seatrial.emulator.state import EmulatorInfo
    from seatrial.rehearsal.timeline import Timeline
    from seatrial.release import Outcome
    from seatrial.release.api import Part
    from seatrial.release.watch import ReleaseEvent

NAME = "rehearsal"

#: A copy has the very front end that is live: what is built there would be built for nothing.
_SAME_SITE: Part = "services"
#: Requests that must have been answered before the release under test begins: the pools are warm then.
_WARM = 0.5
#: Seconds of load after the last release, in which a late mistake shows.
_AFTER = 0.5
#: Seconds of load at most, besides what the strategy waits.
_PLENTY = 600.0


@dataclass(frozen=True)
class Wishes:
    """What the person asked for. ``rate`` is requests per second, None for the configuration's own.

    ``manner`` is whose strategy it is, None for the environment's own. ``time_scale`` None leaves it to the strategy.
    """

    old: str | None = None
    rate: float | None = None
    fault: bool = True
    runtime: Literal["auto", "process", "docker"] = "process"
    proxy: Literal["auto", "envoy", "builtin"] = "auto"
    time_scale: float | None = None
    manner: str | None = None
    report: Path | None = None


class Narrator(Protocol):
    """Who tells the person what goes on."""

    def stage(self, title: str) -> None:
        """Tell that a part of the rehearsal begins."""
        ...

    def line(self, text: str) -> None:
        """Tell a detail."""
        ...

    def load(self, counts: Counts) -> None:
        """Tell how the load is doing."""
        ...


@dataclass(frozen=True)
class Rehearsed:
    """What came of it: the verdict, what it rests on, and where the report lies."""

    verdict: Verdict
    timeline: Timeline
    page: Path
    data: Path


def rehearse(settings: Settings, path: Path, wishes: Wishes, narrator: Narrator) -> Rehearsed:
    """Rehearse a release of the working tree around ``path``, the ``seatrial.toml``, and write the report.

    Raises :class:`~seatrial.errors.UsageError` before anything was started, and
    :class:`~seatrial.errors.ReleaseFailed` when not even the old version could be released. Whatever ends it, the
    emulator and the load are stopped.
    """
    root = path.resolve().parent
    old = old_revision(root, wishes.old)
    if wishes.fault:
        entry_module(settings, root)
    if emulators.find(root, NAME) is not None:
        raise UsageError("a rehearsal of this project is running already", hint="wait for it to end")
    here, stood_in = on_this_machine(settings)
    for line in stood_in:
        narrator.line(line)
    with _emulator(here, root, wishes, narrator) as info, tempfile.TemporaryDirectory() as scratch:
        quiet = here.model_copy(update={"notify": {}})  # a rehearsal is nobody's news
        was = before(path, old, quiet)
        was = replace(was, settings=on_this_machine(was.settings)[0])
        if was.why is not None:
            narrator.line(was.why)
        aws = Aws(settings.app.region, endpoint=info.endpoint)
        stage = _Stage(quiet, was, root, aws, narrator=narrator, scratch=Path(scratch))
        stage.prepare(old)
        return stage.perform(info, wishes)


class _Stage:
    """One environment on the emulator, from its infrastructure to the report."""

    def __init__(
        self, settings: Settings, was: Before, root: Path, aws: Aws, *, narrator: Narrator, scratch: Path
    ) -> None:
        self._settings = settings
        self._was = was
        self._root = root
        self._aws = aws
        self._narrator = narrator
        self._scratch = scratch
        self._releases = Releases()

    def prepare(self, old: str) -> None:
        """Create the infrastructure, release the old version and run the tasks that set the scene."""
        self._narrator.stage("creating the infrastructure")
        infra.apply(self._was.settings, self._aws, self._narrator.line)
        self._narrator.stage(f"releasing the old version ({old[:12]})")
        outcome = self._release("the old version", self._root, old, settings=self._was.settings)
        if not outcome.ok:
            raise ReleaseFailed(
                f"the old version ({old[:12]}) cannot be released: {outcome.message}",
                details=outcome.details,
                hint="name a version that works with --from",
            )
        for name in self._settings.rehearsal.setup:
            if name not in self._was.settings.tasks:
                self._narrator.line(f"{name} is not run: the old version has no such task")
                continue
            self._narrator.stage(f"running {name}")
            ended = oneoff.run(self._was.settings, self._aws, task=name, on_event=self._told)
            if ended.problem is not None:
                raise SeatrialError(f"the setup task {name} failed: {ended.problem}", hint="see the lines above")

    def perform(self, info: EmulatorInfo, wishes: Wishes) -> Rehearsed:
        """Release under load, then break a release on purpose, and judge."""
        rate = wishes.rate or self._settings.rehearsal.rate
        with Load(self._aim(info), rate, self._scratch / "samples", at_most=self._longest(info)) as load:
            self._narrator.stage(f"load: {rate:g} requests a second")
            if not load.wait_for_answers(30.0):
                raise SeatrialError("the load balancer answered nothing within 30 s", hint="see the emulator's log")
            self._hold(load, _WARM)
            self._change_infrastructure(load)
            released = self._new_version(load)
            if wishes.fault and released.ok:
                self._broken_version(load)
            self._hold(load, _AFTER)
            load.stop()
            self._narrator.load(load.counts)
        timeline = build(
            load.samples(), task_spans(self._settings, self._aws, self._releases), self._releases.under_load()
        )
        how = manner(self._settings, wishes.manner)
        verdict = judge(timeline, info.time_scale, how.compressed(info.time_scale))
        first, second = self._releases.versions[:2]
        circumstances = report.Circumstances(
            app=self._settings.app.name, old_version=first, new_version=second, rate=rate, runtime=info.runtime,
            proxy=info.proxy, time_scale=info.time_scale, made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            manner=how.sentence, compressed=how.compressed(info.time_scale),
        )  # fmt: skip
        directory = wishes.report or self._root / ".seatrial" / "rehearsals" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
        page, data = report.write(directory, circumstances, timeline, verdict)
        return Rehearsed(verdict, timeline, page, data)

    def _change_infrastructure(self, load: Load) -> None:
        """Do what ``seatrial infra apply`` will do before the release, where ``seatrial.toml`` has changed."""
        if self._was.settings == self._settings:
            return
        self._narrator.stage("changing the infrastructure, since seatrial.toml has changed")
        lost = self._was.lost(self._settings)
        for name in sorted(lost):
            self._narrator.line(
                f"on AWS `infra apply` removes {name} after the release, or at once by --replace {name}"
            )
        infra.apply(self._settings, self._aws, self._narrator.line, replace=lost)
        self._narrator.load(load.counts)

    def _new_version(self, load: Load) -> Outcome:
        self._narrator.stage("releasing the working tree over it")
        tree, only = self._root, None
        if working_tree_version(self._root, self._settings) == self._releases.first.version:
            self._narrator.line("nothing has changed since: a marked copy is released, so that there is a release")
            tree, only = marked_copy(self._root, project_files(self._root), self._scratch / "marked"), _SAME_SITE
        outcome = self._release("the release", tree, None, only=only)
        self._narrator.load(load.counts)
        self._narrator.line(outcome.message)
        return outcome

    def _broken_version(self, load: Load) -> None:
        self._narrator.stage("releasing a version that is broken on purpose")
        files = project_files(self._root)
        tree = broken_copy(self._settings, self._root, files, self._scratch / "broken")
        outcome = self._release(
            "the release broken on purpose", tree, None, label="broken", expected="rolled back", only=_SAME_SITE
        )
        self._narrator.load(load.counts)
        self._narrator.line(outcome.message)

    def _release(
        self,
        title: str,
        tree: Path,
        revision: str | None,
        *,
        label: str | None = None,
        expected: str = "released",
        only: Part | None = None,
        settings: Settings | None = None,
    ) -> Outcome:
        watch = self._releases.watch(title, expected=expected, label=label)

        def told(event: ReleaseEvent) -> None:
            watch.event(event)
            self._told(event)

        settings = settings or self._settings
        outcome = release.deploy(settings, tree, self._aws, revision=revision, only=only, on_event=told)
        watch.ended(outcome)
        return outcome

    def _told(self, event: ReleaseEvent) -> None:
        self._narrator.line(event.line())

    def _aim(self, info: EmulatorInfo) -> Aim:
        """Return the real address of the listener that users come by; HTTPS where the environment has a domain."""
        status = emulators.status(NAME, self._root) or {}
        secure = self._settings.target.domain is not None
        for listener in status.get("listeners", ()):
            if listener["listener"] == ("HTTPS 443" if secure else "HTTP 80"):
                ca = info.state / "loadbalancing" / "ca.pem"
                return Aim(
                    listener["url"].rstrip("/"), self._settings.rehearsal.paths, host=self._settings.target.domain,
                    ca=str(ca) if secure else None,
                )  # fmt: skip
        raise SeatrialError("the emulator has no listener to send requests to", hint="see `seatrial emulator status`")

    def _longest(self, info: EmulatorInfo) -> float:
        """Return the most seconds that the load may run: what two releases wait by themselves, and plenty."""
        waits = manner(self._settings).seconds * info.time_scale
        return _PLENTY + 2 * waits

    def _hold(self, load: Load, seconds: float) -> None:
        """Let the load run on for a while, telling how it does."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(0.5, left))
            self._narrator.load(load.counts)


@contextmanager
def _emulator(settings: Settings, root: Path, wishes: Wishes, narrator: Narrator) -> Iterator[EmulatorInfo]:
    narrator.stage("starting AWS on this machine")
    info = emulators.start(
        NAME, root, runtime=wishes.runtime, proxy=wishes.proxy,
        time_scale=wishes.time_scale or scale_for(settings),
        region=settings.app.region, progress=narrator.line,
    )  # fmt: skip
    try:
        yield info
    finally:
        narrator.stage("stopping it")
        emulators.stop(NAME, root, at_once=True)
