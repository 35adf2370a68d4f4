"""The emulator's side of :mod:`seatrial.emulator.runtime.supervisor`: start a process tree, talk to it, see its end."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.emulator.runtime import LogSink

_PROGRAM = Path(__file__).with_name("supervisor.py")
_KILLED = 128 + Signals.SIGKILL
_TIMED_OUT = 124
CANNOT_RUN = 126
#: CloudWatch Logs takes 256 KiB an event, 26 bytes of it its own (PutLogEvents, API reference).
_LONGEST_LINE = 262_144 - 26


@dataclass(frozen=True)
class Order:
    """What to run. ``scratch`` is a directory that is removed when all has ended, whoever ends it.

    ``memory`` is the most that all of it may use together, in MiB.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    scratch: Path
    memory: int | None = None


class Supervised:
    """A running process tree. Raises ``OSError`` when the program cannot be executed."""

    def __init__(self, order: Order, log: LogSink) -> None:
        self.exited = threading.Event()
        self.code: int | None = None
        self.out_of_memory = False
        self._runs: dict[int, Run] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        status_out, status_in = os.pipe()
        output_out, output_in = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_PROGRAM), str(status_in)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=output_in,
                pass_fds=(status_in, output_in),
                env={key: os.environ[key] for key in ("LD_LIBRARY_PATH",) if key in os.environ},
                start_new_session=True,
            )
        except BaseException:
            os.close(status_out)
            os.close(output_out)
            raise
        finally:
            os.close(status_in)
            os.close(output_in)
        self._scratch = order.scratch
        self._status = os.fdopen(status_out, encoding="utf-8")
        self._output = os.fdopen(output_out, "rb")
        self._send(
            {
                "argv": list(order.argv),
                "env": dict(order.environment),
                "cwd": str(order.directory),
                "output": output_in,
                "scratch": str(order.scratch),
                "memory": None if order.memory is None else order.memory * 1024 * 1024,
            }
        )
        self.pid = self._await_start()
        self._threads = [
            threading.Thread(target=self._follow, name=f"status-{self.pid}", daemon=True),
            threading.Thread(target=_pump, args=(self._output, log), name=f"log-{self.pid}", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def signal(self, number: Signals) -> None:
        """Signal the main process, and only it."""
        self._send({"signal": int(number)})

    def kill(self) -> None:
        """SIGKILL everything."""
        self._send({"kill": True})

    def run(self, argv: Sequence[str], environment: Mapping[str, str], timeout: float) -> int:
        """Run one more program in the tree and return its exit code: 124 at the time-out, 126 when all has ended.

        ``environment`` comes on top of the tree's own.
        """
        run = self.begin(argv, environment)
        if run.done.wait(timeout):
            return run.code
        self.drop(run)
        return _TIMED_OUT

    def begin(self, argv: Sequence[str], environment: Mapping[str, str], terminal: str | None = None) -> Run:
        """Start one more program in the tree, on ``terminal`` (the path of one) where it is given."""
        run = Run(next(self._numbers))
        with self._lock:
            if self.exited.is_set():
                run.end(CANNOT_RUN)
                return run
            self._runs[run.number] = run
        on = {} if terminal is None else {"terminal": terminal}
        self._send({"run": run.number, "argv": list(argv), "env": dict(environment), **on})
        return run

    def drop(self, run: Run) -> None:
        """Kill a program that :meth:`begin` started, with its process group."""
        self._send({"drop": run.number})

    def join(self) -> None:
        """Wait until everything has ended and every line of output has been handed on."""
        for thread in self._threads:
            thread.join()
        self._free()

    def _await_start(self) -> int:
        line = self._status.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"failed": 0, "text": "the supervisor did not start"}
        if "started" in answer:
            return int(answer["started"])
        self._free()
        raise OSError(answer["failed"], answer["text"])

    def _follow(self) -> None:
        for line in self._status:
            message = json.loads(line)
            if "ran" in message:
                run = self._runs.pop(message["ran"], None)
                if run is not None:
                    run.end(message["code"])
            else:
                self.out_of_memory = message["out_of_memory"]
                self.code = message["exited"]
        if self.code is None:  # the supervisor itself was killed: its guard ends the rest
            self._process.wait()
        with self._lock:
            if self.code is None:
                self.code = _KILLED
            self.exited.set()
            left = list(self._runs.values())
        for run in left:
            run.end(CANNOT_RUN)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with (
            self._lock,
            contextlib.suppress(BrokenPipeError, ValueError),
        ):  # it has ended, or is closed: nothing to tell
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _free(self) -> None:
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._status.close()
        self._output.close()
        self._process.wait()
        shutil.rmtree(self._scratch, ignore_errors=True)  # the supervisor does it, unless it was killed itself


class Run:
    """One more program in a tree. ``code`` is its exit code once it is ``done``."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.done = threading.Event()
        self.code = CANNOT_RUN

    def end(self, code: int) -> None:
        """Take note of the end."""
        self.code = code
        self.done.set()


def _pump(output: IO[bytes], log: LogSink) -> None:
    while line := output.readline(_LONGEST_LINE):
        log(line.decode(errors="replace").rstrip("\r\n"))
