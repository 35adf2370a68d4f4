"""One invocation's process: exactly the function's environment, ended with all it started when its time is up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.emulator import launch
from seatrial.emulator.children import MARK
from seatrial.emulator.lambda_functions import bootstrap
from seatrial.emulator.lambda_functions.report import Run

if TYPE_CHECKING:
    from collections.abc import Mapping


class Processes:
    """Runs invocations. All are forked from one thread, so that each dies with the emulator (:mod:`.children`)."""

    def __init__(self) -> None:
        self._forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lambda-forker")
        self._alive: set[subprocess.Popen[bytes]] = set()

    def run(self, event: bytes, environment: Mapping[str, str], directory: Path, timeout: float) -> Run:
        """Run the handler that ``environment`` names, for ``timeout`` seconds at most."""
        with tempfile.TemporaryDirectory(prefix="lambda-") as scratch:
            result, output = Path(scratch) / "result", Path(scratch) / "output"
            begun = time.monotonic()
            try:
                process = self._forker.submit(self._start, environment, directory, result, output).result()
            except RuntimeError:  # the emulator is stopping, and nothing is begun any more
                return Run(code=-signal.SIGTERM, seconds=0.0, output="", result="")
            self._alive.add(process)
            try:
                process.communicate(event, timeout)
                code: int | None = process.returncode
            except subprocess.TimeoutExpired:
                code = None
            finally:
                _kill(process)
                self._alive.discard(process)
            return Run(
                code=code,
                seconds=time.monotonic() - begun,
                output=output.read_text(encoding="utf-8", errors="replace"),
                result=result.read_text(encoding="utf-8") if code is not None and result.exists() else "",
            )

    def stop(self) -> None:
        """End every invocation."""
        for process in list(self._alive):
            _signal(process)
        self._forker.shutdown()

    @staticmethod
    def _start(environment: Mapping[str, str], directory: Path, result: Path, output: Path) -> subprocess.Popen[bytes]:
        inherited = {name: os.environ[name] for name in ("PATH", MARK) if name in os.environ}
        owner = [str(os.getpid()), str(int(signal.SIGKILL)), str(os.geteuid()), str(os.getegid())]
        python = [sys.executable, "-B", "-s", "-u", bootstrap.__file__, str(result)]
        with output.open("wb") as sink:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", launch.__file__, *owner, *python],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env={**inherited, **environment},
                start_new_session=True,
            )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it left running, and collect it."""
    _signal(process)
    process.wait()
    if process.stdin:
        process.stdin.close()


def _signal(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # nothing of it is left
