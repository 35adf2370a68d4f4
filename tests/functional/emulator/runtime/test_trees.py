"""Containers as plain processes, for real: the process tree, its signals and its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.functional.emulator.runtime.support import (
    Log,
    alive,
    bundle,
    program,
    spec,
    until,
)

if TYPE_CHECKING:
    from seatrial.emulator.runtime.process import ProcessRuntime
    from seatrial.emulator.runtime.registry import Registry


def test_stop_asks_the_main_process_and_waits_for_it(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(
        registry,
        """
        import os, signal, sys, time
        child = os.fork()
        def stop(number, frame):
            os.write(1, b"asked main\\n" if child else b"asked child\\n")
            sys.exit(3)
        signal.signal(signal.SIGTERM, stop)
        os.write(1, b"ready\\n")
        while True:
            time.sleep(60)
        """,
    )
    log = Log()
    container = runtime.start(spec(image), log)
    until(lambda: log.lines.count("ready") == 2, "both processes are ready")
    assert container.poll() is None
    assert container.stop(30) == 3
    assert container.stop(30) == 3
    container.close()
    assert log.lines == ["ready", "ready", "asked main"]


def test_the_images_stop_signal_is_used(runtime: ProcessRuntime, registry: Registry) -> None:
    source = """
        import signal, sys, time
        signal.signal(signal.SIGQUIT, lambda *_: sys.exit(5))
        print("ready", flush=True)
        time.sleep(600)
    """
    image = bundle(
        registry,
        {"main.py": textwrap.dedent(source)},
        name="quit:1",
        Cmd=["python", "main.py"],
        StopSignal="SIGQUIT",
    )
    log = Log()
    container = runtime.start(spec(image), log)
    log.wait_for("ready")
    assert container.stop(30) == 5
    container.close()


#: A child that takes 96 MiB; its parent says how it ended, and stays.
HOARDS = """
    import os, signal
    if child := os.fork():
        print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        signal.pause()
    hoard = b"x" * (96 * 1024 * 1024)
    signal.pause()
"""
#: Four processes that share 48 MiB, until the first one is told to stop.
SHARES = """
    import os, signal
    hoard = b"x" * (48 * 1024 * 1024)
    children = [pid for _ in range(3) if (pid := os.fork() or signal.pause())]
    signal.signal(signal.SIGTERM, lambda *_: None)
    print("shared", flush=True)
    signal.pause()
    print([os.waitpid(child, os.WNOHANG)[0] for child in children], flush=True)
"""


def test_more_memory_than_allowed_costs_the_largest_process_its_life(
    runtime: ProcessRuntime, registry: Registry
) -> None:
    shared, log = Log(), Log()
    sharing = runtime.start(spec(program(registry, SHARES), memory=96), shared)
    shared.wait_for("shared")
    container = runtime.start(spec(program(registry, HOARDS), task_id="task2", memory=64), log)
    log.wait_for("child -9")
    assert container.poll() is None
    container.stop(30)
    container.close()
    assert container.out_of_memory
    # What several processes share counts once: this one was measured as often, and lost nobody.
    sharing.stop(30)
    sharing.close()
    assert (shared.lines[-1], sharing.out_of_memory) == ("[0, 0, 0]", False)


def test_what_ignores_sigterm_is_killed(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(
        registry,
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready", flush=True)
        time.sleep(600)
        """,
    )
    log = Log()
    container = runtime.start(spec(image), log)
    log.wait_for("ready")
    assert container.stop(0.1) == 137
    container.close()


FAMILY = """
    import os, time
    tell = lambda: os.write(1, f"pid {os.getpid()}\\n".encode())
    tell()
    if os.fork() == 0:                       # a child that left the session and was left by its parent
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        tell()
        time.sleep(600)
    os.wait()
    for _ in range(2):                       # workers that fork as well
        if os.fork() == 0:
            os.fork()
            tell()
            time.sleep(600)
    time.sleep(600)
"""


def pids(log: Log, count: int) -> list[int]:
    until(lambda: len(log.lines) == count, f"{count} processes in {log.lines}")
    return [int(line.split()[1]) for line in log.lines]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.parametrize("how", ["killed", "its main process ends"])
def test_nothing_of_a_tree_is_left(runtime: ProcessRuntime, registry: Registry, how: str) -> None:
    log = Log()
    container = runtime.start(spec(program(registry, FAMILY, name="family:1")), log)
    family = pids(log, 6)
    assert all(alive(pid) for pid in family)
    if how == "killed":
        container.kill()
    else:
        assert container.stop(30) == 128 + signal.SIGTERM
    until(lambda: container.poll() is not None, "the container ends")
    assert not [pid for pid in family if alive(pid)]
    container.close()


OWNER = """
    import sys, threading
    from pathlib import Path
    from seatrial.emulator.runtime.process import ProcessRuntime
    from seatrial.emulator.runtime.registry import Registry
    from tests.functional.emulator.runtime.support import bundle, spec, settings
    place = Path(sys.argv[1])
    runtime = ProcessRuntime(settings(place / "state"), Registry(place / "registry"))
    image = f"{runtime._registry.host}/family:owned"
    begin = lambda: runtime.start(spec(image), lambda line: print(line, flush=True))
    thread = threading.Thread(target=begin)      # a thread that ends, as the ones that serve requests do
    thread.start()
    thread.join()
    threading.Event().wait()
"""


def test_a_tree_does_not_outlive_a_killed_owner(place: Path, registry: Registry) -> None:
    program(registry, FAMILY, name="family:owned")
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER), str(place)],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
    )
    assert owner.stdout is not None
    family = [int(owner.stdout.readline().split()[1]) for _ in range(6)]
    assert all(alive(pid) for pid in family)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    until(lambda: not [pid for pid in family if alive(pid)], "the family ends")


def test_a_killed_supervisor_takes_the_main_process_along(runtime: ProcessRuntime, registry: Registry) -> None:
    log = Log()
    container = runtime.start(spec(program(registry, "import time; print('ready'); time.sleep(600)")), log)
    log.wait_for("ready")
    os.kill(parent(int(container.runtime_id)), signal.SIGKILL)
    until(lambda: container.poll() == 137, "the death is seen")
    assert not alive(int(container.runtime_id))
    container.close()


@pytest.mark.parametrize("killed", ["supervisor", "guard"])
def test_a_killed_supervisor_or_guard_leaves_nothing_of_a_tree(
    runtime: ProcessRuntime, registry: Registry, killed: str
) -> None:
    log = Log()
    container = runtime.start(spec(program(registry, FAMILY, name="family:1")), log)
    family = pids(log, 6)
    supervisor = parent(int(container.runtime_id))
    guard = parent(supervisor)
    assert parent(guard) == os.getpid()
    os.kill(supervisor if killed == "supervisor" else guard, signal.SIGKILL)
    until(lambda: container.poll() == 137, "the death is seen")
    assert not [pid for pid in family if alive(pid)]
    until(lambda: not alive(supervisor), "the supervisor, which has told the end, ends itself")
    container.close()
    assert not alive(guard)


def test_shutdown_ends_everything(runtime: ProcessRuntime, registry: Registry) -> None:
    image = program(registry, "import time; print('ready'); time.sleep(600)")
    containers = [runtime.start(spec(image), Log()) for _ in range(3)]
    runtime.shutdown()
    assert [container.poll() for container in containers] == [137, 137, 137]
