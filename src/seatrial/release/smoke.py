"""The smoke checks of a release: made on the new version while users do not see it, each result told.

ECS holds the deployments meanwhile, with the test listener's traffic on the new revision. The first check whose last
attempt fails ends it.
"""

from __future__ import annotations

import http
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.config.smoke import PAUSE
from seatrial.release import evidence
from seatrial.release.causes import FailedCheck
from seatrial.release.interrupt import Choice
from seatrial.release.probes import Request
from seatrial.release.tasks import TaskRun
from seatrial.release.watch import SmokeChecked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.config.models import Settings
    from seatrial.release.context import Context
    from seatrial.release.facts import AppStack
    from seatrial.release.probes import Probes
    from seatrial.release.progress import Progress
    from seatrial.release.steps import Check

#: Characters of an answer, and lines of an output, that a failure shows.
_EXCERPT = 600
_LINES = 20


@dataclass(frozen=True)
class Finding:
    """What one attempt came to. ``problem`` is None if all is well; ``said`` describes it either way."""

    said: str
    problem: str | None = None
    lines: tuple[str, ...] = ()
    choice: Choice = Choice.GO_ON


@dataclass(frozen=True)
class Smoked:
    """What :meth:`SmokeChecks.make` came back with: nothing, the check that failed, or a person's choice."""

    failed: FailedCheck | None = None
    choice: Choice = Choice.GO_ON


class SmokeChecks:
    """Makes checks."""

    def __init__(
        self,
        settings: Settings,
        root: Path,
        stack: AppStack,
        *,
        context: Context,
        probes: Probes,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._root = root
        self._stack = stack
        self._context = context
        self._probes = probes
        self._progress = progress

    def make(self, checks: Sequence[Check]) -> Smoked:
        """Make the checks one after the other, in the order of the file."""
        for check in checks:
            attempts = check.smoke.retries + 1
            for attempt in range(1, attempts + 1):
                choice = self._context.interrupt.poll()
                if choice is not Choice.GO_ON:
                    return Smoked(choice=choice)
                found = self._attempt(check, attempt, attempts)
                if found.choice is not Choice.GO_ON:
                    return Smoked(choice=found.choice)
                if found.problem is None:
                    break
                if attempt == attempts:
                    return Smoked(FailedCheck(check.name, found.problem, found.lines))
                self._context.clock.sleep(PAUSE)
        return Smoked()

    def _attempt(self, check: Check, attempt: int, attempts: int) -> Finding:
        clock = self._context.clock
        begin = clock.monotonic()
        if check.smoke.path is not None:
            found = self._ask(check, check.smoke.path)
        elif check.smoke.command is not None:
            found = self._task(check, check.smoke.command)
        else:
            found = self._program(check, check.smoke.run or ())
        if found.choice is Choice.GO_ON:
            seconds, ok = clock.monotonic() - begin, found.problem is None
            said = found.problem or found.said
            self._context.emit(SmokeChecked(clock.now(), check.name, ok, attempt, attempts, seconds, said))
        return found

    def _ask(self, check: Check, path: str) -> Finding:
        smoke = check.smoke
        answer = self._probes.get(
            Request(
                self._stack.test_address or "",
                path,
                secure=self._secure,
                host=smoke.host or self._settings.target.domain,
                headers=smoke.headers,
                timeout=smoke.timeout,
                trusted=self._settings.target.cloud == "aws",
            )
        )
        asked = f"GET {path}"
        if answer.status is None:
            problem = f"{asked} got no answer from {self._stack.test_address}: {answer.problem}"
            return Finding(problem, problem)
        lines = (f"status {answer.status} {_phrase(answer.status)}".rstrip(), *_excerpt(answer.text))
        if answer.status != smoke.status:
            problem = f"{asked} answered {answer.status}, not {smoke.status}"
            return Finding(problem, problem, lines)
        if smoke.contains is not None and smoke.contains not in answer.text:
            problem = f"{asked} answered {answer.status} without {smoke.contains!r}"
            return Finding(problem, problem, lines)
        return Finding(f"{asked} answered {answer.status}")

    def _task(self, check: Check, command: Sequence[str]) -> Finding:
        definition = self._progress.definitions[check.unit]
        number = self._progress.record.number if self._progress.record else 0
        ended = TaskRun(check.unit, definition, self._context).run(
            self._stack.network,
            timeout=check.smoke.timeout,
            started_by=f"seatrial/{number}/smoke",
            command=command,
        )
        words = f"`{' '.join(command)}`"
        if ended.problem is None or ended.choice is not Choice.GO_ON:
            return Finding(f"{words} exited with code 0", choice=ended.choice)
        left = evidence.of_task(check.unit, ended.task, ended.failures, definition.document, self._context.logs)
        return Finding(words, f"{words}: {ended.problem}", evidence.details(left))

    def _program(self, check: Check, command: Sequence[str]) -> Finding:
        choice = Choice.GO_ON

        def stop() -> bool:
            nonlocal choice
            choice = self._context.interrupt.poll()
            return choice is not Choice.GO_ON

        ran = self._probes.run(command, self._root, self._variables(), timeout=check.smoke.timeout, stop=stop)
        words = f"`{' '.join(command)}`"
        if choice is not Choice.GO_ON or ran.exit_code == 0:
            return Finding(f"{words} exited with code 0", choice=choice)
        output = ran.output.rstrip().splitlines()[-_LINES:]
        problem = f"{words} {ran.problem or f'exited with code {ran.exit_code}'}"
        return Finding(words, problem, tuple(f"> {line}" for line in output))

    @property
    def _secure(self) -> bool:
        return (self._stack.test_url or "").startswith("https:")

    def _variables(self) -> dict[str, str]:
        """Return what a program is told. On an emulator nothing resolves the domain, so the URL is the address."""
        address = self._stack.test_address or ""
        by_address = f"{'https' if self._secure else 'http'}://{address}"
        return {
            "SEATRIAL_TEST_URL": (self._stack.test_url or "") if self._settings.target.cloud == "aws" else by_address,
            "SEATRIAL_TEST_ADDRESS": address,
            "SEATRIAL_TEST_HOST": self._settings.target.domain or "",
            "SEATRIAL_VERSION": self._progress.version,
            "SEATRIAL_ENVIRONMENT": self._settings.name,
        }


def _phrase(status: int) -> str:
    return http.HTTPStatus(status).phrase if status in set(http.HTTPStatus) else ""


def _excerpt(text: str) -> list[str]:
    """Return the beginning of an answer as lines; a page's markup has many empty ones."""
    return [f"> {line}" for line in text[:_EXCERPT].splitlines() if line.strip()]
