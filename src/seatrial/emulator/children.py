"""Child processes that die with the emulator, however it dies.

Linux tells a process when its parent is gone (``PR_SET_PDEATHSIG``), but counts the *thread* that forked as the
parent. So every child is forked from one thread that lives as long as the process, and a tiny launcher
(:mod:`seatrial.emulator.launch`) sets the signal in the child itself, after it has dropped to another user: a change of
user clears it. Databases and caches are started here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from signal import SIGKILL, SIGTERM, Signals
from threading import Thread
from typing import TYPE_CHECKING

from seatrial.emulator import launch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

#: Every process of an emulator carries this in its environment; the value is the emulator's state directory.
MARK = "SEATRIAL_EMULATOR_STATE"


@dataclass(frozen=True)
class Account:
    """A user of this machine that a child runs as."""

    uid: int
    gid: int


class Child:
    """One process that was started. Its output goes to ``log``."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self.log = log

    @property
    def pid(self) -> int:
        """The process id, ours until :meth:`stop` returned."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit status (negative: the signal), or None while it runs."""
        return self._process.poll()

    def when_ended(self, callback: Callable[[int], None]) -> None:
        """Have ``callback`` called with the exit status, whatever ended it, from a thread of its own."""
        wait = self._process.wait
        Thread(target=lambda: callback(wait()), name=f"end-{self.pid}", daemon=True).start()

    def signal(self, number: Signals) -> None:
        """Send a signal; nothing happens when the process has ended."""
        self._process.send_signal(number)

    def stop(self, timeout: float, *, first: Signals = SIGTERM) -> int:
        """Ask the process to end with ``first``, kill it after ``timeout`` seconds; return its exit status."""
        self._process.send_signal(first)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.send_signal(SIGKILL)
            return self._process.wait()

    def last_lines(self, count: int = 10) -> tuple[str, ...]:
        """Return the end of its log."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ()
        return tuple(text.splitlines()[-count:])


class Children:
    """Starts processes that die with this one. Safe to call from any thread."""

    def __init__(self) -> None:
        self._forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")

    def start(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
        death_signal: Signals = SIGKILL,
        pass_fds: Sequence[int] = (),
    ) -> Child:
        """Start a process; ``death_signal`` is what it gets when we die. Raises ``OSError`` when it cannot be started.

        ``environment`` is added to a minimal one: secrets of ours do not leak into children. ``pass_fds`` stay open.
        """
        return self._forker.submit(
            self._start, _launched(command, account, death_signal), log, cwd, environment or {}, pass_fds
        ).result()

    def run(
        self,
        command: Sequence[str | Path],
        *,
        standard_input: str = "",
        account: Account | None = None,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: float = 60.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a process to its end and return its output (both streams in ``stdout``).

        Raises ``subprocess.TimeoutExpired``. What is secret belongs into ``standard_input``, never into ``command``.
        """
        return self._forker.submit(
            subprocess.run,
            _launched(command, account, SIGKILL),
            input=standard_input,
            cwd=cwd or "/",
            env=_environment(environment or {}),
            timeout=timeout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        ).result()

    @staticmethod
    def _start(
        command: list[str], log: Path, cwd: Path | None, environment: Mapping[str, str], pass_fds: Sequence[int]
    ) -> Child:
        with log.open("ab") as sink:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=cwd or "/",
                env=_environment(environment),
                start_new_session=True,
                pass_fds=pass_fds,
            )
        return Child(process, log)


def _launched(command: Sequence[str | Path], account: Account | None, death_signal: Signals) -> list[str]:
    user, group = (account.uid, account.gid) if account else (os.geteuid(), os.getegid())
    launcher = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), str(int(death_signal))]
    return [*launcher, str(user), str(group), *map(str, command)]


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "TZ", "TMPDIR", MARK) if name in os.environ}
    return {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **kept, **added}
