"""The load seen from the rehearsal: start the probe, follow its counts, read what it saw."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.rehearsal.probe import Aim


@dataclass(frozen=True)
class Sample:
    """One request. ``at`` is when it was due (epoch seconds), ``latency`` in milliseconds from then."""

    at: float
    latency: float
    status: int | None
    error: str | None
    target: str | None
    client: str
    path: str
    retried: bool

    @property
    def failed(self) -> bool:
        """Whether a user would call it an error: no answer, or a status of 400 and above."""
        return self.status is None or self.status >= 400


@dataclass(frozen=True)
class Counts:
    """How far the load is."""

    sent: int = 0
    done: int = 0
    failed: int = 0


class Load:
    """A running probe. Use as a context manager: leaving it ends the process."""

    def __init__(self, aim: Aim, rate: float, output: Path, *, at_most: float = 600.0) -> None:
        self._output = output
        self._counts = Counts()
        command = [
            sys.executable, "-m", "seatrial.rehearsal.probe", "--url", aim.url, "--rate", str(rate),
            "--seconds", str(at_most), "--timeout", str(aim.timeout), "--output", str(output),
        ]  # fmt: skip
        for path in aim.paths:
            command += ["--path", path]
        for option, value in (("--host", aim.host), ("--ca", aim.ca)):
            if value:
                command += [option, value]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._first_answer = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def counts(self) -> Counts:
        """The counts of at most half a second ago."""
        return self._counts

    def wait_for_answers(self, timeout: float) -> bool:
        """Wait until the first request was answered; False when ``timeout`` seconds went by without."""
        return self._first_answer.wait(timeout)

    def stop(self) -> None:
        """End the load; requests under way are finished first. Safe to call twice."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def samples(self) -> tuple[Sample, ...]:
        """Return every sample, in the order of their due times. Call after :meth:`stop`."""
        with self._output.open(encoding="utf-8") as lines:
            found = [Sample(*json.loads(line)) for line in lines]
        return tuple(sorted(found, key=lambda sample: sample.at))

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._counts = Counts(**json.loads(line))
            if self._counts.done:
                self._first_answer.set()
