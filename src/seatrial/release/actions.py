"""What each step of a plan does. One method a kind of step; each returns the words for "done: ..."."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial import project
from seatrial.aws.ecr import Ecr
from seatrial.aws.ecs import revision_name
from seatrial.aws.errors import NotFound
from seatrial.aws.scheduler import Scheduler
from seatrial.config.smoke import HELD
from seatrial.project.migrations.ask import NoAnswer
from seatrial.release import evidence, migrations
from seatrial.release.facts import settled
from seatrial.release.interrupt import Choice
from seatrial.release.retire import retire
from seatrial.release.revisions import next_document, own_tags, same, writable
from seatrial.release.rollout.choice import rollout_of
from seatrial.release.rollout.ecs import follow
from seatrial.release.site.actions import SiteActions
from seatrial.release.site.steps import BuildSite, Publish, UploadSite
from seatrial.release.smoke import SmokeChecks
from seatrial.release.steps import (
    Build,
    CheckMigrations,
    Gate,
    NewRevision,
    Push,
    Register,
    Retire,
    Roll,
    StartSchedules,
    Step,
    Verify,
)
from seatrial.release.stops import Refused, StepFailed, TurnedBack, Unwatched
from seatrial.release.tasks import TaskRun
from seatrial.release.undo import clear_the_way
from seatrial.release.watch import Note
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.aws.ecs import Service, TaskDefinition
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.images import BuiltImage
    from seatrial.release.context import Context
    from seatrial.release.facts import Facts
    from seatrial.release.probes import Probes
    from seatrial.release.progress import Progress
    from seatrial.release.rollout.ecs import Rollout
    from seatrial.release.steps import Change, Check


class Actions:
    """Does steps. Writes what it finds out into ``progress``."""

    def __init__(
        self,
        settings: Settings,
        root: Path,
        aws: Aws,
        *,
        paths: frozenset[str],
        facts: Facts,
        context: Context,
        progress: Progress,
        probes: Probes,
    ) -> None:
        self._settings = settings
        self._root = root
        self._aws = aws
        self._paths = paths
        self._facts = facts
        self._context = context
        self._progress = progress
        self._smoke = SmokeChecks(settings, root, facts.stack, context=context, probes=probes, progress=progress)
        self._site = SiteActions(settings, root, aws, facts=facts, context=context, progress=progress)
        self._built: BuiltImage | None = None

    def do(self, step: Step) -> str:  # noqa: C901, PLR0911 - one answer for each kind of step
        """Do one step.

        Raises a :class:`~seatrial.release.stops.Stop`, or a :class:`~seatrial.errors.SeatrialError` from below.
        """
        match step:
            case Verify():
                return self._verify(step)
            case Build():
                return self._build(step)
            case Push():
                return self._push(step)
            case BuildSite():
                return self._site.build(step)
            case UploadSite():
                return self._site.upload(step)
            case Publish():
                return self._site.publish(step)
            case Register():
                return self._register(step)
            case CheckMigrations():
                return self._check_migrations(step)
            case Gate():
                return self._gate(step)
            case Roll():
                return self._roll(step)
            case StartSchedules():
                return self._start_schedules(step)
            case Retire():
                return retire(step.units, self._settings, self._context)
        raise TypeError(f"no action for {step!r}")

    def _verify(self, step: Verify) -> str:
        if not step.project:
            return "the image exists"
        found = project.verify(self._settings, self._paths)
        return f"settings in {found.settings_file}, {len(found.modules)} modules of the commands found"

    def _build(self, step: Build) -> str:
        from seatrial import images

        with self._context.interrupt.abortable():
            self._built = images.build(self._settings, self._root, step.revision, step.image_kind, progress=self._note)
        self._progress.version = self._built.version
        return self._built.version

    def _push(self, step: Push) -> str:
        assert self._built is not None  # a plan has Build before Push
        login = Ecr(self._aws, names.repository(self._settings)).login()
        with self._context.interrupt.abortable():
            self._progress.digest = self._built.push(step.repository_uri, login.username, login.password)
        return self._progress.digest

    def _register(self, step: Register) -> str:
        registered = []
        for each in step.revisions:
            definition, new = self._registered(each)
            self._progress.definitions[each.unit] = definition
            self._progress.revisions[each.unit] = definition.arn
            if new:
                registered.append(definition.name)
        kept = len(step.revisions) - len(registered)
        return ", ".join([*registered, *([f"{kept} unchanged"] if kept else [])])

    def _registered(self, wanted: NewRevision) -> tuple[TaskDefinition, bool]:
        """Return the revision that runs what is wanted, and whether it had to be registered."""
        latest = self._facts.latest[wanted.unit]
        candidates = [latest] if wanted.newest else [latest, self._facts.live.get(wanted.unit, latest)]
        if wanted.copy:
            base = self._context.ecs.task_definition(wanted.base)
            document = writable(base.document)
        else:
            base = latest
            image = f"{self._facts.stack.repository_uri}@{self._progress.digest}"
            document = next_document(base, wanted.unit, image, self._progress.version)
        for each in candidates:
            if same(each.document, document) and each.document.get("status", "ACTIVE") == "ACTIVE":
                return each, False
        return self._context.ecs.register(document, own_tags(base)), True

    def _check_migrations(self, step: CheckMigrations) -> str:
        if step.known:
            return step.found
        definition = self._progress.definitions[step.unit]
        try:
            checked = migrations.check_on_image(self._settings, self._facts, definition, self._context)
        except NoAnswer as error:
            for line in error.details:
                self._note(line)
            return f"not known: {error.message}"
        assert checked.verdict is not None  # the image has told
        self._progress.migrations = dict(checked.leaves)
        if checked.verdict.refused:
            error_ = migrations.refusal(checked.verdict)
            raise Refused(error_.message, error_.details, error_.hint)
        for line in checked.verdict.lines()[1:]:
            self._note(line)
        return checked.verdict.summary

    def _start_schedules(self, step: StartSchedules) -> str:
        """Turn them on. What another tool made under another name is left to that."""
        scheduler = Scheduler(self._aws)
        said = []
        for unit in step.units:
            name = names.schedule(names.family(self._settings, unit))
            try:
                said.append(f"{unit} {'is on' if scheduler.turn_on(name) else 'was on already'}")
            except NotFound:
                said.append(f"{unit} has no schedule called {name}")
        return ", ".join(said)

    def _gate(self, step: Gate) -> str:
        definition = self._progress.definitions[step.unit]
        number = self._progress.record.number if self._progress.record else 0
        ended = TaskRun(step.unit, definition, self._context).run(
            self._facts.stack.network, timeout=step.timeout, started_by=f"seatrial/{number}"
        )
        if ended.choice is Choice.STOP_WATCHING:
            raise Unwatched(f"{step.unit} goes on without being watched; no service was touched")
        if ended.choice is Choice.ROLL_BACK:
            raise TurnedBack(f"interrupted during {step.unit}, which was stopped")
        if ended.problem is not None:
            raise StepFailed(
                ended.problem,
                evidence.of_task(step.unit, ended.task, ended.failures, definition.document, self._context.logs),
            )
        return "exit code 0"

    def _roll(self, step: Roll) -> str:
        services = self._context.ecs.services([each.unit for each in step.changes])
        rollouts: list[Rollout] = []
        unchanged: list[str] = []
        for change in step.changes:
            target = self._progress.revisions[change.unit]
            service = services.get(change.unit)
            if service is None:
                raise StepFailed(f"service {change.unit} is no longer there")
            if self._stands(service, target, change):
                unchanged.append(change.unit)
                continue
            left = change.desired is not None and change.codedeploy is None and not settled(service.primary)
            if left and change.shifts:
                self._note(f"{change.unit}: what was begun is given up first: it has nothing to go back to")
                service = clear_the_way(change, service, self._context)
            rollout = rollout_of(change, target, self._context)
            rollouts.append(rollout)
            self._progress.rollouts.append(rollout)
            rollout.begin(service, desired=change.desired)
        self._follow(until_replaced=not step.last, checks=step.checks)
        said = [f"{each.change.unit} runs {revision_name(each.target)}" for each in rollouts]
        return ", ".join([*said, *(f"{unit} unchanged" for unit in unchanged)])

    def _stands(self, service: Service, target: str, change: Change) -> bool:
        """Whether the service is at its target already, with nothing under way."""
        group = self._facts.groups.get(change.unit)
        rests = settled(service.primary) if group is None else group.under_way is None
        return service.task_definition == target and change.desired is None and change.returns is None and rests

    def _follow(self, *, until_replaced: bool, checks: Sequence[Check]) -> None:
        """Follow what is under way, earlier stages' old tasks too."""
        rollouts = [each for each in self._progress.rollouts if each.verdict is None]
        followed = follow(
            rollouts,
            self._context,
            until_replaced=until_replaced,
            at_pause=lambda held: self._test(checks, held),
        )
        if followed.failed is not None:
            failed = followed.failed
            raise StepFailed(f"{failed.change.unit}: {failed.reason or failed.verdict}", failed.evidence())
        self._chosen(followed.choice, rollouts)

    def _test(self, checks: Sequence[Check], held: Sequence[Rollout]) -> None:
        """Make the smoke checks, and say how the deployments that wait for them go on."""
        smoked = self._smoke.make(checks)
        self._chosen(smoked.choice, held)
        for each in held:
            each.answer(go_on=smoked.failed is None)
        if smoked.failed is not None:
            # What was said of targets is over: no deployment is held before its tasks are healthy.
            left = replace(held[0].evidence(), targets=(), check=smoked.failed)
            raise StepFailed("a smoke check failed", left)

    def _chosen(self, choice: Choice, rollouts: Sequence[Rollout]) -> None:
        """Raise what a person's choice, if there is one, means while these are under way."""
        units = " and ".join(each.change.unit for each in rollouts)
        held = " and ".join(each.change.unit for each in rollouts if each.held or each.approaching)
        who = "CodeDeploy" if any(each.change.codedeploy for each in rollouts) else "ECS"
        if choice is Choice.ROLL_BACK:
            raise TurnedBack(f"interrupted during the rollout of {units}")
        if choice is Choice.STOP_WATCHING and held:
            raise Unwatched(
                f"{who} holds {held} before users see the new version, until somebody answers, and rolls back after "
                f"{HELD // 60} minutes; nothing after it was started"
            )
        if choice is Choice.STOP_WATCHING:
            raise Unwatched(f"{who} goes on with the rollout of {units}; nothing after it was started")

    def _note(self, line: str) -> None:
        self._context.emit(Note(self._context.clock.now(), line))
