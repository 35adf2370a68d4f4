"""The emulator's process: ``python -m seatrial.emulator.server --state DIRECTORY``.

Takes its port and its loopback block first, says in ``emulator.json`` where it is, then starts the engines while
``/_seatrial/health`` already answers. SIGTERM and SIGINT end it in an orderly way, within a bounded time; so does the
removal of its state directory, after which nobody could find it. SIGQUIT does the same but kills the tasks at once.

Usually started by :mod:`seatrial.emulator.process`; run by hand it stays in the foreground and logs to standard error.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib.util
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast

from seatrial.emulator import state
from seatrial.emulator.addresses import lease_block
from seatrial.emulator.assembly import Emulator
from seatrial.emulator.children import MARK
from seatrial.emulator.front import boot
from seatrial.emulator.front.web import Front, Page, listen, serve
from seatrial.emulator.settings import EmulatorSettings

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from seatrial.emulator.addresses import BlockLease

log = logging.getLogger("seatrial.emulator")

#: How long an orderly stop may take, in seconds. Tasks get their stop timeout (30 s on ECS) within it.
STOP_DEADLINE = 45.0
_LOOK_EVERY = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an emulator until it is told to stop; return the exit code (2: the port or the state directory is taken)."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    directory = Path(options.state).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    lock = _lock(directory)
    if lock is None:
        log.error("another emulator uses %s", directory)
        return 2
    os.environ[MARK] = str(directory)
    try:
        listener = listen(options.port)
        lease = lease_block()
    except OSError as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence is the message; a traceback would hide it
        return 2
    settings = EmulatorSettings(
        name=options.name or directory.name,
        state=directory,
        port=listener.getsockname()[1],
        block=lease.block,
        region=options.region,
        time_scale=options.time_scale,
        runtime=_runtime(options.runtime),
        proxy=_proxy(options.proxy),
        keep=options.keep,
    )
    return _run(settings, listener, lease)


def _run(settings: EmulatorSettings, listener: socket.socket, lease: BlockLease) -> int:
    boot.prepare(settings)
    told_to_stop, at_once = threading.Event(), threading.Event()

    def told(number: int, _frame: object) -> None:
        if number == signal.SIGQUIT:
            at_once.set()
        told_to_stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, told)
    emulator = Emulator(settings)
    front = Front(lambda path: _page(emulator, front, path), settings.region)
    server = serve(front, listener)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="server", daemon=True).start()
    state.write(state.of_this_process(settings))
    outcome = 1
    try:
        application = emulator.start()
        front.open(application, emulator.own(), emulator.guard.refusal)
        log.info("ready at %s", settings.endpoint)
        while not told_to_stop.wait(_LOOK_EVERY):
            if state.read(settings.state) is None:
                log.info("the state directory is gone: nobody could find or stop this emulator")
                break
        outcome = 0
    except Exception:  # the edge of the process: the log is where `start` looks for the reason
        log.exception("the emulator did not start")
    finally:
        _end_in_any_case(STOP_DEADLINE)
        log.info("stopping")
        emulator.stop(at_once=at_once.is_set())
        server.shutdown()
        lease.release()
        state.remove(settings.state)
        log.info("stopped")
    return outcome


def _page(emulator: Emulator, front: Front, path: str) -> Page | None:
    """Return one of our own pages, None where there is none."""
    if path == "health":
        health = emulator.health()
        return Page(health, 200 if health["ready"] else 503)
    if path == "status":
        if emulator.stage != "ready":
            return Page(emulator.health(), 503)
        return Page(emulator.status() | {"unknown_calls": front.unknown})
    if path.startswith("v4/") and emulator.stage == "ready":
        found = emulator.metadata(path.removeprefix("v4/"))
        return None if found is None else Page(found)
    return None


def _end_in_any_case(seconds: float) -> None:
    """End the process when an orderly stop takes longer: children die with it, and the block is free."""

    def give_up() -> None:
        log.error("stopping took more than %g s; ending now", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()


def _lock(directory: Path) -> IO[str] | None:
    """Lock the state directory until this process ends; None when another emulator holds it."""
    handle = (directory / "emulator.lock").open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def _runtime(wanted: str) -> Literal["process", "docker"]:
    if wanted == "auto":
        from seatrial.emulator.runtime.choose import docker_available

        reason = docker_available()
        if reason:
            log.info("tasks run as plain processes: %s", reason)
        return "process" if reason else "docker"
    return cast("Literal['process', 'docker']", wanted)


def _proxy(wanted: str) -> Literal["envoy", "builtin"]:
    if wanted == "auto":
        return "envoy" if importlib.util.find_spec("envoy") is not None else "builtin"
    return cast("Literal['envoy', 'builtin']", wanted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m seatrial.emulator.server", description=__doc__)
    parser.add_argument("--state", required=True, metavar="DIRECTORY", help="private directory of this emulator")
    parser.add_argument("--name", help="its name (default: the directory's)")
    parser.add_argument("--port", type=int, help="port on 127.0.0.1 (default: the first free one from 4566 up)")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--time-scale", type=float, default=1.0, metavar="FACTOR")
    parser.add_argument("--runtime", choices=("auto", "process", "docker"), default="auto")
    parser.add_argument("--proxy", choices=("auto", "envoy", "builtin"), default="auto")
    parser.add_argument("--keep", action="store_true", help="keep databases and buckets from one run to the next")
    return parser


if __name__ == "__main__":
    sys.exit(main())
