"""What the pending migrations would do to the version that serves, asked of the project and of the environment.

The operations come from the files that are to be released, read by the project's own interpreter on this machine;
where there is none (or only an image), by a task on the release's own image. What is applied and how large the tables
are only the database knows, and it is often reachable from a task alone: so a task on the image that is live asks it,
unless no migration is new since the release that is recorded as serving. Where the database cannot be asked, that
record stands in. Where nothing that decides about migrations changed since that release, nobody is asked.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.aws.clock import SystemClock
from seatrial.aws.errors import NotFound
from seatrial.errors import SeatrialError, UsageError
from seatrial.project.migrations.ask import (
    Answer,
    Database,
    NoAnswer,
    answered,
    ask_here,
    command,
    interpreter,
    local_python,
)
from seatrial.project.migrations.fingerprint import fingerprint
from seatrial.project.migrations.operations import read
from seatrial.project.migrations.verdict import Circumstances, Verdict, judge
from seatrial.release import facts as facts_
from seatrial.release.context import Context
from seatrial.release.interrupt import Choice, Interrupt
from seatrial.release.source import files
from seatrial.release.stops import TurnedBack
from seatrial.release.tasks import TaskRun
from seatrial.release.watch import TaskLogged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from seatrial.aws.ecs import TaskDefinition
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.images.source import Source
    from seatrial.release.facts import Facts
    from seatrial.release.record import Record
    from seatrial.release.watch import ReleaseEvent

#: Seconds that a task which only reads may take, its start included.
_PATIENCE = 600
#: Characters of the recorded migrations that still fit into the overrides of RunTask (8192 in all) with the rest.
ROOM = 2500


@dataclass(frozen=True)
class Checked:
    """The verdict, None where nobody here could say (and ``why``), and the newest migration of each app.

    ``files`` is the :func:`~seatrial.project.migrations.fingerprint.fingerprint` of the files, empty for an image.
    """

    verdict: Verdict | None
    leaves: Mapping[str, str] = field(default_factory=dict)
    why: str | None = None
    files: str = ""


@dataclass(frozen=True)
class Pending:
    """The migrations (``app.name``) that the live image has and the database has not; None where nobody asked.

    ``note`` says how it is known, or why it is not.
    """

    migrations: tuple[str, ...] | None
    note: str


def check_image(facts: Facts, release: Record) -> Checked:
    """Judge the migrations of an image that another environment runs, by that environment's ``release``.

    Only its record is known here: unless the record says that nothing is new, a task on the image itself must look.
    """
    files = release.migration_files
    if files and facts.serving and facts.serving.migration_files == files:
        note = f"nothing that decides about migrations changed since release {facts.serving.number}"
        return Checked(Verdict((), (note,)), release.migrations, files=files)
    return Checked(None, release.migrations, "only the image is known", files)


def check(settings: Settings, root: Path, facts: Facts, source: Source | None, context: Context) -> Checked:
    """Judge the migrations of the files that are to be released. Reads, and runs at most one task, which only reads."""
    if source is None:
        return Checked(None, why="only the image is known")
    decisive = fingerprint({name: file.content for name, file in source.files.items()}, settings.environment)
    if facts.serving and facts.serving.migration_files == decisive:
        note = f"nothing that decides about migrations changed since release {facts.serving.number}"
        return Checked(Verdict((), (note,)), facts.serving.migrations, files=decisive)
    return replace(_check_files(settings, root, facts, source, context), files=decisive)


def _check_files(settings: Settings, root: Path, facts: Facts, source: Source, context: Context) -> Checked:
    python = local_python(settings, root)
    if python is None:
        return Checked(None, why=_no_interpreter(settings))
    with tempfile.TemporaryDirectory(prefix="seatrial-") as scratch:
        directory = Path(scratch)
        write(source, directory)
        question = {"root": _root(settings), "ask": False, "list": True}
        recorded = dict(facts.serving.migrations) if facts.serving else {}
        try:
            answer = ask_here(settings, directory, python, {**question, "leaves": recorded or None})
            if recorded and not answer.migrations and facts.serving:
                note = f"no migration is new since release {facts.serving.number}"
                return Checked(_judged(settings, facts, answer, context.clock.now(), (note,)), answer.leaves)
            database, problem = _live_database(settings, facts, context)
            if database is not None:
                answer = ask_here(
                    settings, directory, python, {**question, "applied": database.applied, "leaves": recorded}
                )
        except NoAnswer as error:
            return Checked(None, why=error.message)
    notes = _basis(answer, database, problem, facts)
    return Checked(_judged(settings, facts, answer, context.clock.now(), notes, database=database), answer.leaves)


def check_on_image(settings: Settings, facts: Facts, definition: TaskDefinition, context: Context) -> Checked:
    """Judge the migrations of an image by a task on it that also asks the database.

    Raises :class:`~seatrial.project.migrations.ask.NoAnswer` where the image cannot be asked.
    """
    recorded = dict(facts.serving.migrations) if facts.serving else {}
    leaves = recorded if recorded and len(json.dumps(recorded)) < ROOM else None
    answer = asked_in_task(settings, facts, definition, context, {"ask": True, "list": True, "leaves": leaves})
    notes = _basis(answer, answer.database, answer.problem, facts)
    return Checked(
        _judged(settings, facts, answer, context.clock.now(), notes, database=answer.database), answer.leaves
    )


def pending(settings: Settings, facts: Facts, context: Context) -> Pending:
    """Return what the live image has and its database has not applied, by a task on it, which only reads."""
    unit = unit_that_migrates(settings)
    if facts.serving is None or unit not in facts.serving.revisions:
        return Pending(None, "nothing is released that could ask the database")
    try:
        definition = context.ecs.task_definition(facts.serving.revisions[unit])
        answer = asked_in_task(settings, facts, definition, context, {"ask": True, "list": True})
    except SeatrialError as error:
        return Pending(None, error.message)
    if answer.database is None:
        return Pending(None, f"the database could not be asked: {answer.problem}")
    listed = tuple(f"{each['app']}.{each['name']}" for each in answer.migrations or ())
    return Pending(listed, f"the database was asked by a task on {definition.name}")


def check_environment(
    settings: Settings, root: Path, aws: Aws, revision: str | None, emit: Callable[[ReleaseEvent], None]
) -> Verdict:
    """Judge what a release of the working tree or a git ``revision`` to the environment would apply.

    Raises :class:`~seatrial.errors.UsageError` where the project cannot be asked on this machine.
    """
    facts = facts_.gather(settings, aws)
    context = Context.of(aws, facts.stack.cluster, emit=emit, clock=SystemClock(), interrupt=Interrupt())
    checked = check(settings, root, facts, files(settings, root, revision), context)
    if checked.verdict is None:
        raise _cannot_ask(checked.why or "")
    return checked.verdict


def check_since(settings: Settings, root: Path, old: Source, new: Source, now: datetime) -> Verdict:
    """Judge the migrations that ``new`` has and ``old`` has not, without asking AWS or a database.

    Raises :class:`~seatrial.errors.UsageError` where the project cannot be asked on this machine.
    """
    python = local_python(settings, root)
    if python is None:
        raise _cannot_ask(_no_interpreter(settings))
    question = {"root": _root(settings), "ask": False, "list": True}
    with tempfile.TemporaryDirectory(prefix="seatrial-") as scratch:
        for name, source in (("old", old), ("new", new)):
            write(source, Path(scratch) / name)
        before = ask_here(settings, Path(scratch) / "old", python, question)
        answer = ask_here(settings, Path(scratch) / "new", python, {**question, "leaves": before.leaves})
    notes = ("the database was not asked: the sizes of tables are not known",)
    return judge(read(answer.migrations or []), _circumstances(settings, answer, now, both_alive=True), notes)


def unit_that_migrates(settings: Settings) -> str:
    """Return the unit whose tasks reach the database: the gate that migrates, else a gate, else a web service."""
    gates = [name for name, task in settings.tasks.items() if task.gate]
    migrating = [name for name in gates if "migrate" in settings.tasks[name].command]
    web = [name for name, service in settings.services.items() if service.role == "web"]
    return next(iter([*migrating, *gates, *web, *settings.services]))


def someone_is_alive(facts: Facts) -> bool:
    """Whether a version serves that a migration could break."""
    return any(service.desired or service.running for service in facts.services.values())


def refusal(verdict: Verdict) -> UsageError:
    """Return the error that refuses a release, with every finding and the ways out."""
    refused = verdict.refused
    what = "a pending migration" if len(refused) == 1 else f"{len(refused)} operations of pending migrations"
    return UsageError(
        f"{what} would break the version that is serving: {'; '.join(each.operation.name for each in refused)}",
        hint="take the way out that is named; or write the names into migrations.acknowledged, or declare "
        "migrations.maintenance in seatrial.toml (docs/migrations.md)",
        details=tuple(line for each in refused for line in each.lines()),
    )


def write(source: Source, directory: Path) -> None:
    """Write the files of a source into a directory, which is made."""
    directory.mkdir(exist_ok=True)
    for name, file in source.files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.link is not None:
            path.symlink_to(file.link)
        else:
            path.write_bytes(file.content)


def _live_database(settings: Settings, facts: Facts, context: Context) -> tuple[Database | None, str | None]:
    """Ask the database by a task on what is live. Returns why that did not work, where it did not."""
    unit = unit_that_migrates(settings)
    if facts.serving is None or unit not in facts.serving.revisions:
        return None, "nothing is released that could ask it"
    try:
        definition = context.ecs.task_definition(facts.serving.revisions[unit])
        answer = asked_in_task(settings, facts, definition, context, {"ask": True, "list": False})
    except NotFound:
        return None, f"{facts.serving.revisions[unit]} was deleted"
    except SeatrialError as error:
        return None, error.message
    return answer.database, answer.problem


def asked_in_task(
    settings: Settings, facts: Facts, definition: TaskDefinition, context: Context, question: Mapping[str, Any]
) -> Answer:
    """Ask a task on an image, which only reads.

    Raises :class:`~seatrial.project.migrations.ask.NoAnswer`, and :class:`~seatrial.release.stops.TurnedBack` where a
    person wanted that.
    """
    unit = unit_that_migrates(settings)
    python, root = interpreter(_command(settings))
    words = command(settings, {"root": root, **question}, python)
    lines: list[str] = []

    def heard(event: ReleaseEvent) -> None:
        """Keep the log to ourselves: it is an answer, not something to read."""
        if isinstance(event, TaskLogged):
            lines.append(event.text)
        else:
            context.emit(event)

    ended = TaskRun(unit, definition, replace(context, emit=heard)).run(
        facts.stack.network, timeout=_PATIENCE, started_by="seatrial/migrations", command=words
    )
    if ended.choice is not Choice.GO_ON:
        raise TurnedBack(f"interrupted while {unit} was asked about its migrations")
    if ended.problem is not None:
        raise NoAnswer(f"{ended.problem}, when asked about its migrations", details=tuple(lines[-12:]))
    return answered(lines)


def _judged(
    settings: Settings,
    facts: Facts,
    answer: Answer,
    now: datetime,
    notes: tuple[str, ...],
    *,
    database: Database | None = None,
) -> Verdict:
    circumstances = _circumstances(settings, answer, now, both_alive=someone_is_alive(facts), database=database)
    return judge(read(answer.migrations or []), circumstances, notes)


def _circumstances(
    settings: Settings, answer: Answer, now: datetime, *, both_alive: bool, database: Database | None = None
) -> Circumstances:
    window = settings.migrations.maintenance
    return Circumstances(
        known=answer.serving,
        sizes=database.sizes if database and database.version else None,
        large=settings.migrations.large_table,
        both_alive=both_alive,
        window=window is not None and window.open_at(now),
        acknowledged=settings.migrations.acknowledged,
    )


def _basis(answer: Answer, database: Database | None, problem: str | None, facts: Facts) -> tuple[str, ...]:
    """Say what the verdict rests on. No rule depends on PostgreSQL's version: Django 4.2 asks for 12 at least."""
    if answer.vendor != "postgresql":
        return (f"the database is {answer.vendor}: locks and rewrites are judged as PostgreSQL's, sizes are not known",)
    if database is not None:
        major = database.version // 10_000
        return (f"read by Django {answer.django}; what is applied, and the sizes of tables, by PostgreSQL {major}",)
    why = f"the database could not be asked ({problem})" if problem else "the database was not asked"
    if facts.serving and facts.serving.migrations:
        return (f"{why}: what is new since release {facts.serving.number} is taken as pending",)
    return (f"{why}, and no release says what is applied: every migration is taken as pending",)


def _no_interpreter(settings: Settings) -> str:
    wanted = settings.migrations.python
    return f"there is no {wanted}" if wanted else "there is no interpreter with the project's packages here"


def _cannot_ask(why: str) -> UsageError:
    return UsageError(
        f"the project cannot be asked about its migrations: {why}",
        hint="make .venv beside seatrial.toml and install the project's requirements, or set migrations.python",
    )


def _root(settings: Settings) -> str:
    return interpreter(_command(settings))[1]


def _command(settings: Settings) -> tuple[str, ...]:
    unit = unit_that_migrates(settings)
    return settings.tasks[unit].command if unit in settings.tasks else settings.services[unit].command
