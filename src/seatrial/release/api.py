"""What the command line and the rehearsal call: plan, deploy, promote and roll back, as a library."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from seatrial import project
from seatrial.aws.clock import SystemClock
from seatrial.aws.errors import Unavailable
from seatrial.aws.ssm import Ssm
from seatrial.errors import ReleaseFailed, SeatrialError, UsageError
from seatrial.publish.bucket import SiteBucket
from seatrial.publish.upload import whole
from seatrial.release import backwards, migrations
from seatrial.release import facts as facts_
from seatrial.release.actions import Actions
from seatrial.release.context import Context
from seatrial.release.execute import Execution
from seatrial.release.interrupt import Interrupt
from seatrial.release.journal.events import Subject
from seatrial.release.journal.hooks import Hooks
from seatrial.release.journal.journal import Journal
from seatrial.release.journal.store import Store
from seatrial.release.lock import Lock
from seatrial.release.permissions import permissions
from seatrial.release.plan import plan_release
from seatrial.release.probes import Probes
from seatrial.release.progress import Progress
from seatrial.release.promote import check_image, plan_promotion, promotable, promotable_site
from seatrial.release.record import Records
from seatrial.release.rollback import plan_rollback, target
from seatrial.release.rollout.underway import under_way
from seatrial.release.site.actions import astray
from seatrial.release.site.planning import plan_site
from seatrial.release.source import chosen, chosen_site, site_with
from seatrial.release.steps import CheckMigrations
from seatrial.release.watch import Note
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from seatrial.aws.clock import Clock
    from seatrial.aws.permission import Permission
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.project.migrations.verdict import Verdict
    from seatrial.release.facts import Facts
    from seatrial.release.migrations import Checked
    from seatrial.release.outcome import Outcome
    from seatrial.release.steps import Plan
    from seatrial.release.watch import Emit, ReleaseEvent


#: What a release may be confined to.
Part = Literal["site", "services"]


@dataclass(frozen=True)
class Proposal:
    """A plan with the facts it was made from, the permissions it needs, and the paths of the project's files.

    ``migrations`` is what is known of the pending ones, None where nobody looked; ``leaves`` is the newest migration
    of each app in what is to be released, as far as it is known; ``migration_files`` is the fingerprint of the files
    that decide about them.
    """

    plan: Plan
    facts: Facts
    permissions: tuple[Permission, ...]
    paths: frozenset[str] = frozenset()
    migrations: Checked | None = None
    leaves: Mapping[str, str] = field(default_factory=dict)
    migration_files: str = ""

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the pending migrations, as far as it is known."""
        return self.migrations.verdict if self.migrations else None


def plan(
    settings: Settings,
    root: Path,
    aws: Aws,
    *,
    revision: str | None = None,
    image: str | None = None,
    only: Part | None = None,
    take_over: bool = False,
    on_event: Callable[[ReleaseEvent], None] = lambda _event: None,
    clock: Clock | None = None,
    interrupt: Interrupt | None = None,
) -> Proposal:
    """Return what :func:`deploy` would do. Only reads; the database may be asked by a task on the live image.

    ``root`` is the directory of ``seatrial.toml``; ``only`` leaves the site, or the services, as they are. Raises
    :class:`~seatrial.errors.UsageError` where the release would be refused, save for its migrations, whose verdict is
    part of the proposal.
    """
    facts = facts_.gather(settings, aws)
    if only == "site":
        return _site_alone(settings, root, facts, revision)
    image_ = chosen(settings, root, aws, revision=revision, image=image)
    if image_.wanted.has_source:
        project.verify(settings, image_.paths)
    checked = None
    if settings.checks_migrations:
        context = Context.of(
            aws,
            facts.stack.cluster,
            emit=on_event,
            clock=clock or SystemClock(),
            interrupt=interrupt or Interrupt(),
        )
        checked = migrations.check(settings, root, facts, image_.source, context)
    step = _migrations_step(settings, facts, checked)
    site = None if only == "services" else site_with(image_, settings, root, aws)
    plan_ = plan_release(settings, facts, image_.wanted, supersede=take_over, migrations=step, site=site)
    return Proposal(
        plan_,
        facts,
        permissions(plan_, settings, facts),
        image_.paths,
        checked,
        checked.leaves if checked else {},
        checked.files if checked else "",
    )


def _site_alone(settings: Settings, root: Path, facts: Facts, revision: str | None) -> Proposal:
    plan_ = plan_site(settings, facts, chosen_site(settings, root, revision=revision))
    last = facts.serving
    assert last is not None  # else there is no such plan
    needed = permissions(plan_, settings, facts)
    return Proposal(plan_, facts, needed, leaves=last.migrations, migration_files=last.migration_files)


def deploy(
    settings: Settings,
    root: Path,
    aws: Aws,
    *,
    revision: str | None = None,
    image: str | None = None,
    only: Part | None = None,
    on_event: Callable[[ReleaseEvent], None] = lambda _event: None,
    clock: Clock | None = None,
    interrupt: Interrupt | None = None,
    take_over: bool = False,
    confirm: Callable[[Proposal], bool] = lambda _proposal: True,
    probes: Probes | None = None,
) -> Outcome:
    """Release the working tree, a git ``revision`` or an ``image`` (digest in ECR) and return how it ended.

    ``on_event`` gets every :class:`~seatrial.release.watch.ReleaseEvent`; ``confirm`` is asked once, with the lock
    held. ``only`` leaves the site, or the services, as they are. ``probes`` is how smoke checks reach out of this
    process. ``take_over`` takes the lock from whoever holds it and releases on top of a deployment under way. A release
    that fails returns an outcome; :class:`~seatrial.errors.UsageError` is raised if nothing was done.
    """
    asked = _Asked(
        settings, root, aws, on_event, clock or SystemClock(), interrupt or Interrupt(), confirm, probes or Probes()
    )
    with asked.alone(take_over=take_over) as lock:
        return asked.executed(
            lambda: plan(
                settings,
                root,
                aws,
                revision=revision,
                image=image,
                only=only,
                take_over=take_over,
                on_event=on_event,
                clock=asked.clock,
                interrupt=asked.interrupt,
            ),
            lock,
        )


def promote(
    source: Settings,
    settings: Settings,
    root: Path,
    source_aws: Aws,
    aws: Aws,
    *,
    on_event: Callable[[ReleaseEvent], None] = lambda _event: None,
    clock: Clock | None = None,
    interrupt: Interrupt | None = None,
    take_over: bool = False,
    confirm: Callable[[Proposal], bool] = lambda _proposal: True,
    probes: Probes | None = None,
) -> Outcome:
    """Release to ``settings``' environment what ``source``'s runs: the same digest, nothing built.

    ``source_aws`` and ``aws`` are the two environments' own. All else, and what is raised, is as for :func:`deploy`.
    """
    asked = _Asked(
        settings, root, aws, on_event, clock or SystemClock(), interrupt or Interrupt(), confirm, probes or Probes()
    )
    with asked.alone(take_over=take_over) as lock:
        return asked.executed(lambda: propose_promotion(source, settings, source_aws, aws, take_over=take_over), lock)


def propose_promotion(
    source: Settings, settings: Settings, source_aws: Aws, aws: Aws, *, take_over: bool = False
) -> Proposal:
    """Return what :func:`promote` would do. Only reads."""
    if source.name == settings.name:
        raise UsageError(f"{source.name} cannot be promoted to itself")
    release, said = promotable(source, source_aws)
    check_image(release, source, source_aws, settings, aws)
    site = promotable_site(release, source, source_aws, settings, aws)
    facts = facts_.gather(settings, aws)
    checked = migrations.check_image(facts, release) if settings.checks_migrations else None
    step = _migrations_step(settings, facts, checked)
    plan_ = plan_promotion(settings, facts, source.name, release, said, supersede=take_over, migrations=step, site=site)
    return Proposal(
        plan_,
        facts,
        permissions(plan_, settings, facts),
        migrations=checked,
        leaves=release.migrations,
        migration_files=release.migration_files,
    )


def rollback(
    settings: Settings,
    root: Path,
    aws: Aws,
    *,
    to: int | None = None,
    on_event: Callable[[ReleaseEvent], None] = lambda _event: None,
    clock: Clock | None = None,
    interrupt: Interrupt | None = None,
    take_over: bool = False,
    confirm: Callable[[Proposal], bool] = lambda _proposal: True,
) -> Outcome:
    """Put an earlier release back: number ``to``, or the one before the release that is serving.

    The same executor as :func:`deploy` with the recorded revisions and no gate tasks. The rollback is a release of its
    own in the records. Raises as :func:`deploy` does.
    """
    asked = _Asked(settings, root, aws, on_event, clock or SystemClock(), interrupt or Interrupt(), confirm)
    with asked.alone(take_over=take_over) as lock:
        return asked.executed(
            lambda: propose_rollback(
                settings,
                aws,
                to=to,
                take_over=take_over,
                on_event=on_event,
                clock=asked.clock,
                interrupt=asked.interrupt,
            ),
            lock,
        )


def propose_rollback(
    settings: Settings,
    aws: Aws,
    *,
    to: int | None = None,
    take_over: bool = False,
    on_event: Callable[[ReleaseEvent], None] = lambda _event: None,
    clock: Clock | None = None,
    interrupt: Interrupt | None = None,
) -> Proposal:
    """Return what :func:`rollback` would do. Only reads; the newer image may be asked by a task.

    Raises :class:`~seatrial.errors.UsageError` too where the older code cannot live with the database.
    """
    facts = facts_.gather(settings, aws)
    context = Context.of(
        aws, facts.stack.cluster, emit=on_event, clock=clock or SystemClock(), interrupt=interrupt or Interrupt()
    )
    records = Records(context.ssm, names.release_prefix(settings))
    moving = under_way(facts, context.ecs)
    to_release = target(settings, facts, records, to, moving, astray=astray(facts, aws))
    recorded = facts_.recorded(settings, aws, facts, to_release)
    if to_release.site and facts.stack.site is not None:
        whole(to_release.site, SiteBucket(aws, facts.stack.site.bucket))
    plan_ = plan_rollback(settings, facts, to_release, recorded, under_way=moving, supersede=take_over)
    checked = None
    if settings.checks_migrations:
        found = backwards.judged_already(settings, to_release, plan_, context.clock.now())
        if found is None:
            checked = backwards.check(settings, facts, to_release, records, context)
            found = checked.verdict.summary if checked.verdict else f"not known: {checked.why}"
        plan_ = backwards.with_check(plan_, settings, found)
    return Proposal(
        plan_,
        facts,
        permissions(plan_, settings, facts),
        migrations=checked,
        leaves=to_release.migrations,
        migration_files=to_release.migration_files,
    )


def _migrations_step(settings: Settings, facts: Facts, checked: Checked | None) -> CheckMigrations | None:
    """Return the step that looks at pending migrations, None where nobody asked or no version is alive beside."""
    if checked is None or not migrations.someone_is_alive(facts):
        return None
    found = checked.verdict.summary if checked.verdict else checked.why or ""
    return CheckMigrations(migrations.unit_that_migrates(settings), checked.verdict is not None, found)


@dataclass(frozen=True)
class _Asked:
    """What a caller asked a release with."""

    settings: Settings
    root: Path
    aws: Aws
    emit: Emit
    clock: Clock
    interrupt: Interrupt
    confirm: Callable[[Proposal], bool]
    probes: Probes = field(default_factory=Probes)

    @contextmanager
    def alone(self, *, take_over: bool) -> Iterator[Lock]:
        """Hold the environment's lock. It is given back on every way out, an interrupt's included."""
        lock = Lock(Ssm(self.aws), names.release_prefix(self.settings), self.clock)
        who = self.aws.caller()
        with self.aws.patience.over(self.clock, self._note):
            try:
                taken_from = lock.take(who, take_over=take_over)
                if taken_from is not None:
                    self._note(f"took the release lock over from {taken_from.describe(self.clock.now())}")
                yield lock
            finally:
                try:
                    lock.give_back()
                except SeatrialError as error:  # how the release ended matters more than its lock
                    self._note(f"the release lock could not be given back: {error.message}")

    def executed(self, propose: Callable[[], Proposal], lock: Lock) -> Outcome:
        """Do what is proposed, once it is confirmed."""
        try:
            with self.interrupt.abortable():
                proposal = propose()
                if proposal.verdict and proposal.verdict.refused:
                    raise migrations.refusal(proposal.verdict)
                confirmed = self.confirm(proposal)
        except KeyboardInterrupt:
            raise ReleaseFailed("interrupted; nothing was changed") from None
        except Unavailable as error:
            raise ReleaseFailed(f"{error.message}; nothing was changed") from error
        if not confirmed:
            raise UsageError("not confirmed; nothing was changed")
        plan_, facts = proposal.plan, proposal.facts
        context = Context.of(self.aws, facts.stack.cluster, emit=self.emit, clock=self.clock, interrupt=self.interrupt)
        progress = Progress(plan_.version, plan_.digest, dict(plan_.revisions))
        progress.migrations = dict(proposal.leaves)
        progress.migration_files = proposal.migration_files
        progress.site, progress.site_version = plan_.site, plan_.site_version
        journal = self._journal(plan_, facts, progress)
        context = replace(context, emit=_both(self.emit, journal.hear))
        actions = Actions(
            self.settings,
            self.root,
            self.aws,
            paths=proposal.paths,
            facts=facts,
            context=context,
            progress=progress,
            probes=self.probes,
        )
        records = Records(context.ssm, names.release_prefix(self.settings))
        outcome = Execution(plan_, facts, actions, progress, context, records, lock, self.clock.now()).run()
        journal.finish(outcome)
        return outcome

    def _journal(self, plan_: Plan, facts: Facts, progress: Progress) -> Journal:
        hooks = Hooks(self.settings.notify, self.root, self._note, os.environ)
        subject = Subject(self.settings.app.name, plan_, facts.caller)
        store = Store(self.settings, self.aws)
        return Journal(subject, progress, store=store, hooks=hooks, clock=self.clock, note=self._note)

    def _note(self, text: str) -> None:
        self.emit(Note(self.clock.now(), text))


def _both(one: Emit, other: Emit) -> Emit:
    def emit(event: ReleaseEvent) -> None:
        one(event)
        other(event)

    return emit
