"""Emulators from outside: start one for a project, stop it, look at it, find it.

An emulator belongs to a project directory and has a name; its state is in ``.seatrial/emulator/NAME/``. Every function
here tells a running emulator from one that was killed and from a stranger with a recycled process id.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from seatrial.emulator import state
from seatrial.emulator.children import MARK
from seatrial.emulator.identity import is_running
from seatrial.emulator.state import EmulatorInfo
from seatrial.errors import SeatrialError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START_DEADLINE = 120.0
STOP_DEADLINE = 60.0
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LOG_LINES = 15

#: What emulators of one project share, beside their own directories.
_SHARED = ("environments", "images")

#: Emulators that this very process started, by process id: they are its children and must be waited for.
_children: dict[int, subprocess.Popen[bytes]] = {}


def start(
    name: str,
    project_dir: Path,
    *,
    port: int | None = None,
    runtime: Literal["auto", "process", "docker"] = "auto",
    proxy: Literal["auto", "envoy", "builtin"] = "auto",
    time_scale: float | None = None,
    keep: bool | None = None,
    region: str | None = None,
    progress: Callable[[str], None] = lambda _stage: None,
    deadline: float = START_DEADLINE,
) -> EmulatorInfo:
    """Start an emulator and return when it is ready; one that already runs with these options is returned as it is.

    What is None does not matter to the caller: a new emulator has time scale 1, keeps nothing and plays eu-west-1.
    ``progress`` is told each stage. Raises :class:`UsageError` for a bad name or option, or when one with other
    options runs under this name, and :class:`SeatrialError` with the last log lines when it does not get ready within
    ``deadline`` seconds. Whatever interrupts the start (Ctrl-C too) stops what has been started.
    """
    directory = _state_directory(project_dir, name)
    if time_scale is not None and not 0.001 <= time_scale <= 10:
        raise UsageError(f"a time scale of {time_scale:g} makes no sense", hint="1 is AWS's own pace, 0.1 ten times it")
    running = find(project_dir, name)
    if running is not None:
        _check_same(running, port=port, runtime=runtime, proxy=proxy, time_scale=time_scale, keep=keep, region=region)
        _wait_until_ready(running, None, progress, deadline)
        return running
    state.remove(directory)  # of one that was killed
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "seatrial.emulator.server", "--state", str(directory), "--name", name]
    command += ["--runtime", runtime, "--proxy", proxy, *(["--keep"] if keep else [])]
    for option, value in (("--region", region), ("--time-scale", time_scale), ("--port", port)):
        command += [option, str(value)] if value is not None else []
    log = directory / "emulator.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=directory,
            start_new_session=True,
            env=_environment(directory),
        )
    _children[process.pid] = process
    try:
        return _wait_until_ready(directory, process, progress, deadline)
    except BaseException:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        del _children[process.pid]
        state.remove(directory)
        raise


def stop(
    name: str, project_dir: Path, *, at_once: bool = False, deadline: float = STOP_DEADLINE
) -> EmulatorInfo | None:
    """Stop an emulator; return what it was, None when none was running.

    It ends its tasks, proxy, databases and registry itself; ``at_once`` kills the tasks instead of giving them their
    stop timeout. It is killed after ``deadline`` seconds, and its children die with it.
    """
    directory = _state_directory(project_dir, name)
    info = state.read(directory)
    if info is None:
        return None
    if not info.alive:
        _reap(info.pid)
        state.remove(directory)
        return None
    _signal(info, signal.SIGQUIT if at_once else signal.SIGTERM)
    if not _gone(info, deadline):
        _signal(info, signal.SIGKILL)
        _gone(info, 10.0)
    _reap(info.pid)
    state.remove(directory)
    return info


def status(name: str, project_dir: Path) -> dict[str, Any] | None:
    """Return the status page of a running emulator, None when there is none.

    Raises :class:`SeatrialError` when it runs but does not answer.
    """
    info = find(project_dir, name)
    if info is None:
        return None
    code, page = _page(info, "status")
    if code is None:
        raise SeatrialError(
            f"the emulator {name!r} (process {info.pid}) does not answer at {info.endpoint}",
            hint=f"look at {info.state / 'emulator.log'}, then `seatrial emulator stop`",
        )
    return page | {"state": str(info.state), "log": str(info.state / "emulator.log")}


def find(project_dir: Path, name: str = "local") -> EmulatorInfo | None:
    """Return the emulator of that name that runs for the project, None when none does."""
    info = state.read(_state_directory(project_dir, name))
    return info if info is not None and info.alive else None


def running(project_dir: Path) -> list[EmulatorInfo]:
    """Return all emulators that run for the project, by name."""
    base = project_dir / ".seatrial" / "emulator"
    found = [state.read(each) for each in sorted(base.iterdir())] if base.is_dir() else []
    return [info for info in found if info is not None and info.alive]


def log_file(name: str, project_dir: Path) -> Path:
    """Return where an emulator logs."""
    return _state_directory(project_dir, name) / "emulator.log"


def _state_directory(project_dir: Path, name: str) -> Path:
    if not _NAME.fullmatch(name) or name in _SHARED:
        raise UsageError(f"{name!r} cannot be the name of an emulator", hint="use lower-case letters, digits and -")
    return project_dir.resolve() / ".seatrial" / "emulator" / name


def _environment(directory: Path) -> dict[str, str]:
    """Return the emulator's environment: ours, marked, with little memory for the many threads of a web server."""
    return {**os.environ, MARK: str(directory), "MALLOC_ARENA_MAX": "2"}


def _check_same(info: EmulatorInfo, **wanted: Any) -> None:
    """Raise :class:`UsageError` where a running emulator was started with other options."""
    for option, value in wanted.items():
        now = getattr(info, option)
        if value not in {None, "auto", now}:
            raise UsageError(
                f"the emulator {info.name!r} already runs with {option.replace('_', ' ')} {now}, not {value}",
                hint="stop it first with `seatrial emulator stop`, or start a second one with --name",
            )


def _wait_until_ready(
    where: Path | EmulatorInfo,
    process: subprocess.Popen[bytes] | None,
    progress: Callable[[str], None],
    deadline: float,
) -> EmulatorInfo:
    """Wait for the health page to say ready; ``process`` is ours when we started it."""
    directory = where.state if isinstance(where, EmulatorInfo) else where
    told, until = "", time.monotonic() + deadline
    while time.monotonic() < until:
        if process is not None and process.poll() is not None:
            raise _failed(directory, f"the emulator ended with exit code {process.returncode} while starting")
        info = state.read(directory)
        if info is not None and (process is None or info.pid == process.pid):
            code, health = _page(info, "health")
            if code == 200:
                return info
            if process is None and not info.alive:
                break
            if health.get("stage", told) != told:
                told = health["stage"]
                progress(told)
        time.sleep(0.05)
    raise _failed(directory, f"the emulator was not ready after {deadline:g} s")


def _failed(directory: Path, message: str) -> SeatrialError:
    log = directory / "emulator.log"
    try:
        lines = tuple(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:])
    except FileNotFoundError:
        lines = ()
    return SeatrialError(message, details=lines, hint=f"its whole log is {log}")


def _page(info: EmulatorInfo, page: str) -> tuple[int | None, dict[str, Any]]:
    """Ask for one of the emulator's own pages: (HTTP status, body), (None, {}) when it does not answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy has no business on loopback
    try:
        with opener.open(f"{info.endpoint}/_seatrial/{page}", timeout=15.0) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _json_or_nothing(error.read())
    except (OSError, ValueError):
        return None, {}


def _json_or_nothing(body: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(body))
    except ValueError:
        return {}


def _reap(pid: int) -> None:
    child = _children.pop(pid, None)
    if child is not None:
        child.wait()


def _signal(info: EmulatorInfo, number: signal.Signals) -> None:
    if is_running(info.pid, info.started):
        with suppress(ProcessLookupError):  # it ended between the two calls
            os.kill(info.pid, number)


def _gone(info: EmulatorInfo, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not info.alive:
            return True
        time.sleep(0.05)
    return not info.alive
