"""What an invocation answers and writes to its log stream, in Lambda's words. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Run:
    """How the process of an invocation ended. ``code`` is None where its time was up; ``result`` is what it wrote."""

    code: int | None
    seconds: float
    output: str
    result: str


@dataclass(frozen=True)
class Invocation:
    """What Invoke answers: ``error`` is the header ``X-Amz-Function-Error``, None where the handler returned."""

    payload: bytes
    error: str | None
    log: tuple[str, ...]


def told(run: Run, *, request: str, version: str, timeout: float, memory: int, now: datetime) -> Invocation:
    """Return the answer and the log of an invocation that ended so."""
    error: str | None
    lines = [f"START RequestId: {request} Version: {version}", *run.output.splitlines()]
    if run.code is None:
        late = f"Task timed out after {timeout:.2f} seconds"
        lines.append(f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z {request} {late}")
        answer = {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {request} Error: {late}"}
        payload, error = json.dumps(answer), "Unhandled"
    elif run.result:
        payload, error = run.result, "Unhandled" if run.code else None
    else:
        status = f"exit status {run.code}" if run.code >= 0 else f"signal {-run.code}"
        text = f"RequestId: {request} Error: Runtime exited with error: {status}"
        lines.append(text)
        payload, error = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": text}), "Unhandled"
    lines += [f"END RequestId: {request}", _report(run, request, memory)]
    return Invocation(payload.encode(), error, tuple(lines))


def _report(run: Run, request: str, memory: int) -> str:
    milliseconds = run.seconds * 1000
    return (
        f"REPORT RequestId: {request}\tDuration: {milliseconds:.2f} ms\tBilled Duration: {math.ceil(milliseconds)} ms\t"
        f"Memory Size: {memory} MB"
    )
