"""Whether the code of an older release can live with the database as it is now.

What matters are the operations that were applied since. Newer code knows them: a task on the newest image whose
migrations differ lists what it has and the older release had not, and asks the database which of that is applied. Where
that has more applied, a still older image is asked, for a release that was turned back has migrated all the same. An
operation that takes away what the older code needs refuses the rollback, and so does one that nobody can judge from
outside: going back is done in a hurry. Where the records show that nothing was new, nobody is asked.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from seatrial.aws.errors import NotFound
from seatrial.errors import SeatrialError, UsageError
from seatrial.project.migrations.operations import read
from seatrial.project.migrations.verdict import Circumstances, Verdict, judge
from seatrial.release.migrations import ROOM, Checked, asked_in_task, unit_that_migrates
from seatrial.release.steps import CheckMigrations, Roll

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from seatrial.config.models import Settings
    from seatrial.project.migrations.ask import Answer
    from seatrial.release.context import Context
    from seatrial.release.facts import Facts
    from seatrial.release.record import Record, Records
    from seatrial.release.steps import Plan

#: How many images are asked before nobody knows: that of a release which failed may not start.
_IMAGES = 3
#: How many applied migrations that no code here has are named.
_NAMED = 3


def check(settings: Settings, facts: Facts, target: Record, records: Records, context: Context) -> Checked:
    """Judge what was applied since ``target``.

    Runs at most four tasks, which only read, and mostly one or none. Raises :class:`~seatrial.errors.UsageError` where
    something refuses the rollback.
    """
    newer = tuple(takewhile(lambda each: each.number > target.number, records.newest_first()))
    checked = _check(settings, facts, target, newer, context)
    if checked.verdict is not None and checked.verdict.refused:
        raise _refusal(settings, target, checked.verdict)
    return checked


def judged_already(settings: Settings, target: Record, plan: Plan, now: datetime) -> str | None:
    """Return why nobody need be asked where ECS takes back what is under way, None where somebody must be.

    The older code has served while the migrations were applied, and the release that applied them was judged by that;
    unless a maintenance window let it through.
    """
    window = settings.migrations.maintenance
    fast = any(change.returns for step in plan.steps if isinstance(step, Roll) for change in step.changes)
    if not fast or (window is not None and window.open_at(now)):
        return None
    return f"release {target.number} served while they were applied, and they were judged by that"


def with_check(plan: Plan, settings: Settings, found: str) -> Plan:
    """Return the plan with what was found out about migrations, after its first step."""
    step = CheckMigrations(unit_that_migrates(settings), known=True, found=found, backwards=True)
    return replace(plan, steps=(*plan.steps[:1], step, *plan.steps[1:]))


def _check(settings: Settings, facts: Facts, target: Record, newer: Sequence[Record], context: Context) -> Checked:
    unit = unit_that_migrates(settings)
    since = f"release {target.number}"
    different = _once(each for each in newer if _may_have_migrated(each, target, unit))
    if not different:
        note = f"nothing that decides about migrations changed since {since}"
        return Checked(Verdict((), (note,), since), target.migrations)
    why = ""
    try:
        leaves = target.migrations or _asked(settings, facts, target, context, {"ask": False}).leaves
    except SeatrialError as error:
        return Checked(None, why=f"nobody knows which migrations {since} had: {error.message}")
    if len(json.dumps(leaves)) > ROOM:
        return Checked(None, why=f"{since} had migrations of so many apps that no task can be told of them")
    question = {"ask": True, "leaves": dict(leaves), "since": True}
    answers: list[tuple[Record, Answer]] = []
    for newest in different[:_IMAGES]:
        try:
            answers.append((newest, _asked(settings, facts, newest, context, question)))
        except SeatrialError as error:
            why = why or error.message
            continue
        if not _foreign(answers[-1][1]):
            break
    if not answers:
        return Checked(None, leaves, why)
    newest, answer = min(answers, key=lambda each: len(_foreign(each[1])))
    return Checked(_judged(settings, answer, newest, since), leaves)


def _refusal(settings: Settings, target: Record, verdict: Verdict) -> UsageError:
    """Return the error that refuses a rollback, with every finding and the ways out."""
    named = "; ".join(each.operation.name for each in verdict.refused)
    lines = []
    for each in verdict.refused:
        lines.append(f"{each.operation.name}: {', '.join(each.kinds)}")
        lines += [f"    {judgement.rule.reason}" for judgement in each.judgements if judgement.rule.kind != "expand"]
    lines.append(f"(the serving version, in these words, is the code of release {target.number})")
    return UsageError(
        f"the code of release {target.number} cannot live with what was applied to the database since, "
        f"or nobody can tell: {named}",
        hint=f"go forward instead: correct the newer code and `seatrial deploy {settings.name}`; or restore a backup "
        "of the database from before; or, where you know that the older code works all the same, write the names into "
        "migrations.acknowledged in seatrial.toml (docs/migrations.md)",
        details=tuple(lines),
    )


def _may_have_migrated(release: Record, target: Record, unit: str) -> bool:
    """Whether a release may have applied what ``target`` does not know, and its image can be asked."""
    if release.ending == "refused" or unit not in release.revisions:
        return False
    if release.migration_files and release.migration_files == target.migration_files:
        return False
    return not release.migrations or release.migrations != target.migrations


def _once(releases: Iterable[Record]) -> list[Record]:
    """Return the newest of those that have the same migrations."""
    found: dict[object, Record] = {}
    for each in releases:
        leaves = tuple(sorted(each.migrations.items()))
        found.setdefault(leaves or each.migration_files or each.number, each)
    return list(found.values())


def _foreign(answer: Answer) -> list[tuple[str, str]]:
    """Return what is applied and not in the code that answered."""
    return sorted(set(answer.database.applied) - set(answer.known)) if answer.database else []


def _asked(settings: Settings, facts: Facts, release: Record, context: Context, question: dict[str, Any]) -> Answer:
    revision = release.revisions[unit_that_migrates(settings)]
    try:
        definition = context.ecs.task_definition(revision)
    except NotFound:
        raise UsageError(f"{revision} was deleted") from None
    return asked_in_task(settings, facts, definition, context, {"list": True, **question})


def _judged(settings: Settings, answer: Answer, newest: Record, since: str) -> Verdict:
    listed, notes = answer.migrations or [], [f"by the code of release {newest.number}"]
    if answer.database is None:
        notes.append(
            f"the database could not be asked ({answer.problem}): what release {newest.number} has is taken as applied"
        )
    else:
        applied = set(answer.database.applied)
        listed = [each for each in listed if (each["app"], each["name"]) in applied]
        foreign = _foreign(answer)
        if foreign:
            named = ", ".join(f"{app}.{name}" for app, name in foreign[:_NAMED])
            more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
            notes.append(f"applied, and not in that code, so that nobody can judge it: {named}{more}")
    now = Circumstances(known=answer.serving, acknowledged=settings.migrations.acknowledged, backwards=True)
    return replace(judge(read(listed), now, tuple(notes)), since=since)
