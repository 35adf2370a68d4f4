"""Programs timed from outside, in turns: what disturbs one round disturbs all of its programs."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.report import median

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Program:
    """A command, where it runs and what its environment has besides ours. ``before`` is called ahead of each run."""

    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None


@dataclass
class Times:
    """Seconds of each run: on the clock, and of processors (its children's included)."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle of the times on the clock."""
        return median(self.wall)


def in_turns(programs: Mapping[str, Program], rounds: int) -> dict[str, Times]:
    """Run each program once for warming up, then all of them again and again; return their times.

    Raises ``RuntimeError`` with what a program said when it fails.
    """
    times = {name: Times() for name in programs}
    for index in range(rounds + 1):
        for name, program in programs.items():
            wall, cpu = _timed(program)
            if index:
                times[name].wall.append(wall)
                times[name].cpu.append(cpu)
    return times


def _timed(program: Program) -> tuple[float, float]:
    program.before()
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            program.command,
            cwd=program.directory,
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(program.command)} ended with {process.returncode}:\n{said}")
    return wall, usage.ru_utime + usage.ru_stime
