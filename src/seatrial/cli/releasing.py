"""What plan, deploy, rollback and run share: events as lines, an outcome's last words, and signals as choices."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.release.interrupt import Choice, Interrupt
from seatrial.release.watch import Note, ServiceSaid, SmokeChecked, StepFinished, StepStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Self

    from seatrial.aws.session import Aws
    from seatrial.cli.output import Output
    from seatrial.config.models import Settings
    from seatrial.release.api import Proposal
    from seatrial.release.outcome import Outcome
    from seatrial.release.watch import ReleaseEvent


def opened(config: str, environment: str) -> tuple[Settings, Path, Aws]:
    """Return the environment's settings, the directory of seatrial.toml, and AWS."""
    from seatrial.aws.session import Aws
    from seatrial.config.load import load

    settings = load(Path(config), environment)
    root = Path(config).resolve().parent
    return settings, root, Aws.for_environment(settings, root)


def printer(output: Output) -> Callable[[ReleaseEvent], None]:
    """Return what prints events: plain lines, on a terminal in colour."""

    def show(event: ReleaseEvent) -> None:
        style = None
        if isinstance(event, StepStarted):
            style = "bold"
        elif isinstance(event, StepFinished | SmokeChecked):
            style = "green" if event.ok else "bold red"
        elif isinstance(event, Note | ServiceSaid):
            style = "dim"
        output.say(event.line(), style=style)

    return show


def plan_lines(proposal: Proposal) -> list[str]:
    """Return the plan as lines for people."""
    plan = proposal.plan
    site = f", site {plan.site_version}" if plan.site_version else ""
    lines = [f"{plan.verb} {plan.environment}: {plan.version}{site}"]
    for index, step in enumerate(plan.steps, start=1):
        lines.append(f"{index:>3}. {step.title}")
        lines += [f"       {line}" for line in step.lines]
    lines += [f"note: {note}" for note in plan.notes]
    if proposal.migrations is not None:
        verdict = proposal.migrations.verdict
        found = verdict.lines() if verdict else [f"not known yet: {proposal.migrations.why}"]
        lines += ["migrations:", *(f"  {line}" for line in found)]
    return lines


def confirmation(output: Output, settings: Settings, *, yes: bool) -> Callable[[Proposal], bool]:
    """Return what asks a person whether the plan may be done; an emulator is never asked about."""

    def confirm(proposal: Proposal) -> bool:
        for line in plan_lines(proposal):
            output.say(line)
        if yes or settings.target.cloud == "emulator":
            return True
        if not output.interactive:
            from seatrial.errors import UsageError

            raise UsageError("nobody is there to confirm; nothing was changed", hint="give --yes")
        return _asked("go ahead? [y/N] ") in ("y", "yes")

    return confirm


def finish(output: Output, outcome: Outcome) -> None:
    """Print an outcome's last words, and end the process with its exit code."""
    import typer

    if not outcome.ok:
        output.say(f"error: {outcome.message}", style="bold red")
        for cause in outcome.causes:
            output.say(f"  cause: {cause.text}")
            output.say(f"         {cause.advice}")
        for line in outcome.details:
            output.say(f"  {line}")
        if outcome.hint:
            output.say(f"hint: {outcome.hint}")
    else:
        for line in outcome.details:
            output.say(f"warning: {line}", style="bold yellow")
    number = f"release {outcome.number}, " if outcome.number else ""
    site = f", site {outcome.site.version} at {outcome.site.url}" if outcome.site else ""
    text = f"{outcome.message} at {outcome.url}{site} ({number}{outcome.duration_s:.0f} s)" if outcome.ok else None
    output.result(outcome.to_json(), text=text)
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)


class Signals(Interrupt):
    """Ctrl-C and SIGTERM while a release runs.

    A person at a terminal is asked. Without one, and for SIGTERM, the release is turned back: a cancelled CI job must
    leave no half release and no lock. While nothing has been changed either simply ends it. Use as a context manager.
    """

    def __init__(self, output: Output, question: str) -> None:
        self._output = output
        self._question = question
        self._pending = False
        self._asks = output.interactive
        self._abortable = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def poll(self) -> Choice:
        """See :meth:`Interrupt.poll`."""
        if not self._pending:
            return Choice.GO_ON
        self._pending = False
        if self._asks:
            return self._choice()
        self._output.say("interrupted: turning back")
        return Choice.ROLL_BACK

    @contextmanager
    def abortable(self) -> Iterator[None]:
        """See :meth:`Interrupt.abortable`."""
        if self._pending:
            raise KeyboardInterrupt
        self._abortable = True
        try:
            yield
        finally:
            self._abortable = False

    def _received(self, number: int, _frame: FrameType | None) -> None:
        """Take note only: the signal may have come in the middle of a write, and a second one inside it fails."""
        if self._abortable:
            raise KeyboardInterrupt
        if number == signal.SIGTERM:
            self._asks = False
        self._pending = True

    def _choice(self) -> Choice:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            answer = _asked(f"\n{self._question}\n(g)o on, (r)oll back, (s)top watching? [g] ")
        except KeyboardInterrupt:  # twice Ctrl-C is clear enough
            return Choice.ROLL_BACK
        finally:
            signal.signal(signal.SIGINT, self._received)
        return {"r": Choice.ROLL_BACK, "s": Choice.STOP_WATCHING}.get(answer[:1], Choice.GO_ON)


def _asked(question: str) -> str:
    """Return the answer to a question asked on standard error; nothing at the end of input."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower()
