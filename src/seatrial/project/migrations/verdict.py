"""From judgements to a verdict: what refuses a release, what is acknowledged, what is worth knowing. Pure."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from seatrial.project.migrations.classify import Judgement, classify
from seatrial.project.migrations.rules import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.project.migrations.classify import Known
    from seatrial.project.migrations.operations import Operation
    from seatrial.project.migrations.rules import Kind

#: ``refuse``: the release is refused. ``acknowledged``: it would be, had nobody acknowledged it or declared a window.
#: ``warn``: nobody can tell, a person should look. ``note``: good to know.
Severity = Literal["refuse", "acknowledged", "warn", "note"]

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Circumstances:
    """What decides how much an operation matters.

    ``known`` are the serving version's columns by table, ``sizes`` rows and bytes by table as the database estimates
    them; each is None where nobody knows. ``large`` is the size in MiB from which a table is too large to be locked
    for as long as its rows take. ``both_alive`` says whether an old version serves while this one is released,
    ``window`` whether a declared maintenance window is open. ``backwards`` says that the operations are applied and
    code that does not know them is to serve: what nobody can judge refuses that too, and locks are over.
    """

    known: Known = None
    sizes: Mapping[str, tuple[int, int]] | None = None
    large: int = 64
    both_alive: bool = True
    window: bool = False
    acknowledged: tuple[str, ...] = ()
    backwards: bool = False


@dataclass(frozen=True)
class Finding:
    """One pending operation and what it means. ``size`` is what is known of its table, as words."""

    operation: Operation
    judgements: tuple[Judgement, ...]
    severity: Severity
    size: str | None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The classes it falls into, the one that matters most first."""
        return tuple(kind for kind in KINDS if any(each.rule.kind == kind for each in self.judgements))

    def lines(self) -> list[str]:
        """Return it for people: its name and class, and for each rule the reason and the way out."""
        word = "" if self.severity == "note" else f" [{self.severity}]"
        size = f" ({self.size})" if self.size else ""
        lines = [f"{self.operation.name}: {', '.join(self.kinds)}{size}{word}"]
        for each in self.judgements:
            if each.rule.kind != "expand" or len(self.judgements) == 1:
                lines.append(f"    {each.rule.reason}")
                if each.rule.way_out and self.severity != "note":
                    lines.append(f"    way out: {each.rule.way_out}")
        return lines

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "name": self.operation.name,
            "migration": f"{self.operation.app}.{self.operation.migration}",
            "operation": self.operation.class_name,
            "model": self.operation.model,
            "field": self.operation.field,
            "table": self.operation.table,
            "classes": list(self.kinds),
            "severity": self.severity,
            "size": self.size,
            "rules": [
                {
                    "id": each.rule.id,
                    "class": each.rule.kind,
                    "reason": each.rule.reason,
                    "way_out": each.rule.way_out,
                }
                for each in self.judgements
            ],
        }


@dataclass(frozen=True)
class Verdict:
    """All pending operations. ``notes`` say what the findings rest on and what is left over in the configuration.

    ``since`` names the release that is put back, where the operations are those applied since.
    """

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    since: str = ""

    @property
    def refused(self) -> tuple[Finding, ...]:
        """The findings that refuse the release."""
        return tuple(each for each in self.findings if each.severity == "refuse")

    @property
    def summary(self) -> str:
        """One line: how many operations are pending, and of which kinds."""
        if not self.findings:
            return f"no migration was applied since {self.since}" if self.since else "no migration is pending"
        counts = {kind: sum(kind == each.kinds[0] for each in self.findings) for kind in KINDS}
        parts = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        plural = "s" if len(self.findings) > 1 else ""
        if self.since:
            return f"{len(self.findings)} operation{plural} applied since {self.since}: {parts}"
        return f"{len(self.findings)} pending operation{plural}: {parts}"

    def lines(self) -> list[str]:
        """Return the verdict for people."""
        lines = [self.summary]
        for each in self.findings:
            lines += [f"  {line}" for line in each.lines()]
        return [*lines, *(f"note: {each}" for each in self.notes)]

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as a JSON object."""
        return {
            "refused": bool(self.refused),
            "summary": self.summary,
            "findings": [each.to_json() for each in self.findings],
            "notes": list(self.notes),
        }


def judge(operations: Iterable[Operation], now: Circumstances, notes: tuple[str, ...] = ()) -> Verdict:
    """Return the verdict on the pending operations, in their order."""
    findings = tuple(_finding(each, now) for each in operations)
    if now.backwards:  # what is acknowledged may be pending again after it
        return Verdict(findings, notes)
    return Verdict(findings, (*notes, *_left_over([each.operation.name for each in findings], now)))


def _finding(operation: Operation, now: Circumstances) -> Finding:
    judgements = classify(operation, now.known)
    worst = min((_severity(each, now) for each in judgements), key=("refuse", "warn", "note").index)
    acknowledged = operation.name in now.acknowledged or (now.window and worst == "refuse")
    locks = any(each.rule.kind in ("rewriting", "long-locking", "contract") for each in judgements)
    table = next((each.table for each in judgements if each.table), None)
    return Finding(
        operation,
        judgements,
        "acknowledged" if acknowledged and worst != "note" else worst,
        _size(table, now) if locks and table else None,
    )


def _severity(judgement: Judgement, now: Circumstances) -> Literal["refuse", "warn", "note"]:
    if now.backwards:
        return "refuse" if _breaks_older_code(judgement) else "note"
    if not now.both_alive:
        return "note"
    match judgement.rule.kind:
        case "contract":
            return "refuse"
        case "unknown":
            return "warn"
        case "rewriting" | "long-locking":
            return _lock(judgement.table, now)
    return "note"


def _lock(table: str | None, now: Circumstances) -> Literal["refuse", "warn", "note"]:
    if now.sizes is None or table is None:
        return "warn"
    _, size = now.sizes.get(table, (0, 0))
    return "refuse" if size >= now.large * _MIB else "note"


def _breaks_older_code(judgement: Judgement) -> bool:
    """Whether code from before may fail. What was removed from Django's state alone is still there for it."""
    return judgement.rule.kind in ("contract", "unknown") and judgement.rule.id != "state-only-removal"


def _size(table: str, now: Circumstances) -> str:
    if now.sizes is None:
        return f"size of {table} unknown"
    rows, size = now.sizes.get(table, (0, 0))
    return f"{table}: {size / _MIB:.1f} MiB, about {rows} rows"


def _left_over(names: list[str], now: Circumstances) -> list[str]:
    """Say what is acknowledged and not pending: it was applied, or is misspelt."""
    notes = []
    for each in now.acknowledged:
        if each not in names:
            near = difflib.get_close_matches(each, names, n=1, cutoff=0.8)
            hint = f"did you mean {near[0]}?" if near else "it can be removed from migrations.acknowledged"
            notes.append(f"{each} is acknowledged and not pending: {hint}")
    return notes
