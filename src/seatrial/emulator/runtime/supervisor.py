# ruff: noqa: PTH123, PTH208  # a process of its own for each container: it imports no more than it must
"""A program: one container as a process tree that ends as one. Started by ``supervised`` as ``python -I -S``.

It stands where a container's PID namespace would: it is the *subreaper* of everything the container starts, so what
double-forks or leaves its session comes back to it as a child. The container ends when its main process does, and then
the rest is killed. It ends as well when the control pipe closes, which is what the emulator's death looks like.

It is two processes, so that killing either leaves nothing of the container: the supervisor does the work, and a *guard*
around it, a subreaper too, inherits the container when the supervisor is killed and ends it. When the guard is killed
the kernel tells the supervisor, which ends the container as well.

Standard input is the control pipe, and the one argument the file descriptor of the status pipe; one JSON object a line
each way::

    → {"argv", "env", "cwd", "output": fd, "scratch": directory removed at the end, "memory": bytes or null}
                                  first line
    → {"signal": number}          to the main process only, as Docker signals PID 1
    → {"kill": true}              everything, at once
    → {"run": id, "argv": [...], "env": {...}}    one more process in the container (a health check), with variables on
                                  top of the container's; its output is dropped. With "terminal" (the path of one) it
                                  leads a session on that terminal instead (ECS Exec)
    → {"drop": id}                kill that process and its group
    ← {"started": pid} | {"failed": errno, "text": message}
    ← {"ran": id, "code": exit code}
    ← {"exited": exit code, "out_of_memory": bool}
                                  when nothing of the container is left; 128 + N for signal N

A container that uses more memory than it may loses its largest process by SIGKILL, as the kernel does it to a control
group. It is measured every :data:`_MEASURED` seconds, so a process can be above for so long.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import select
import shutil
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Seconds between two looks at the container's memory.
_MEASURED = 0.5
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_libc = ctypes.CDLL(None, use_errno=True)


def main(status: int) -> None:
    """Guard a supervisor; in the process that is forked for it, be that supervisor."""
    _adopt_orphans()
    guard, child = os.getpid(), os.fork()
    if child == 0:
        _die_with_parent(guard, signal.SIGTERM)
        supervise(status)
        return
    os.close(status)
    os.close(0)  # so that the emulator's end of each pipe is the supervisor's matter alone
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    _end_tree(lambda *_: None)


def supervise(status: int) -> None:
    """Run one container to its end, telling ``status`` (a file descriptor) how it goes."""
    os.set_inheritable(status, False)
    _adopt_orphans()
    wake_out, wake_in = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: _kill_tree())
    control = _Control(0)
    order = control.first()
    if order is None:
        return
    container = _Container(order, status)
    try:
        container.start()
    except OSError as error:
        _tell(status, {"failed": error.errno, "text": error.strerror})
        shutil.rmtree(order["scratch"], ignore_errors=True)
        return
    pause = None if order["memory"] is None else _MEASURED
    while container.main_code is None:
        ready, _, _ = select.select([0, wake_out], [], [], pause)
        container.measure()
        if wake_out in ready:
            os.read(wake_out, 4096)
        container.reap()
        if 0 in ready:
            for message in control.read():
                container.obey(message)
    container.end()
    shutil.rmtree(order["scratch"], ignore_errors=True)
    _tell(status, {"exited": container.main_code, "out_of_memory": container.out_of_memory})


class _Control:
    """Messages from the emulator. A closed pipe reads as an order to kill."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._rest = b""

    def first(self) -> dict[str, Any] | None:
        while b"\n" not in self._rest:
            piece = os.read(self._pipe, 65536)
            if not piece:
                return None
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        order: dict[str, Any] = json.loads(line)
        return order

    def read(self) -> list[dict[str, Any]]:
        piece = os.read(self._pipe, 65536)
        if not piece:
            return [{"kill": True}]
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return [json.loads(line) for line in lines]


class _Container:
    def __init__(self, order: dict[str, Any], status: int) -> None:
        self._order = order
        self._status = status
        self._main = 0
        self.main_code: int | None = None
        self._runs: dict[int, int] = {}  # pid → id
        self.out_of_memory = False

    def start(self) -> None:
        output = self._order["output"]
        self._main = self._spawn(self._order["argv"], self._order["env"], output)
        os.close(output)
        _tell(self._status, {"started": self._main})

    def obey(self, message: dict[str, Any]) -> None:
        if "kill" in message:
            _kill_tree()
        elif "signal" in message and self.main_code is None:
            os.kill(self._main, message["signal"])
        elif "run" in message:
            self._run(message)
        elif "drop" in message:
            for pid, number in self._runs.items():
                if number == message["drop"]:
                    os.killpg(pid, signal.SIGKILL)

    def measure(self) -> None:
        """Kill the largest process if all of them together use more memory than the container may."""
        most = self._order["memory"]
        if most is None:
            return
        used = {pid: _anonymous(pid) for pid in _children_of(os.getpid())}
        if sum(used.values()) <= most:  # too much at most: pages that processes share are counted once for each
            return
        used = {pid: _proportional(pid) for pid in used}
        if sum(used.values()) > most:
            self.out_of_memory = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(max(used, key=lambda pid: used[pid]), signal.SIGKILL)

    def reap(self) -> None:
        """Collect every child that has ended, the container's orphans among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._ended(pid, status)

    def end(self) -> None:
        """Kill what is left until there is nothing."""
        _end_tree(self._ended)

    def _ended(self, pid: int, status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        code = 128 - code if code < 0 else code
        if pid == self._main:
            self.main_code = code
        elif pid in self._runs:
            _tell(self._status, {"ran": self._runs.pop(pid), "code": code})

    def _run(self, message: dict[str, Any]) -> None:
        with open(os.devnull, "wb") as null:
            try:
                environment = self._order["env"] | message["env"]
                pid = self._spawn(message["argv"], environment, null.fileno(), message.get("terminal"))
            except OSError:
                _tell(self._status, {"ran": message["run"], "code": 127})
            else:
                self._runs[pid] = message["run"]

    def _spawn(self, argv: list[str], environment: dict[str, str], output: int, terminal: str | None = None) -> int:
        """Fork and execute; an error of the execution is raised here, in the parent."""
        failed_out, failed_in = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            self._become(argv, environment, output, failed_in, terminal)
        os.close(failed_in)
        with open(failed_out, encoding="utf-8") as failed:
            text = failed.read()
        if text:
            os.waitpid(pid, 0)
            number, _, reason = text.partition(" ")
            raise OSError(int(number), reason)
        return pid

    def _become(
        self, argv: list[str], environment: dict[str, str], output: int, failed_in: int, terminal: str | None
    ) -> None:
        """Turn this forked process into the program. Never returns."""
        try:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # should the supervisor itself be killed
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, *_IGNORED_BY_PYTHON):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            # the first terminal that the leader of a session opens becomes the session's own
            standard = os.open(os.devnull, os.O_RDONLY) if terminal is None else os.open(terminal, os.O_RDWR)
            os.dup2(standard, 0)
            os.dup2(output if terminal is None else standard, 1)
            os.dup2(output if terminal is None else standard, 2)
            os.closerange(3, failed_in)
            os.closerange(failed_in + 1, 1024)
            os.umask(0o022)
            os.chdir(self._order["cwd"])
            os.execvpe(argv[0], argv, environment)  # noqa: S606  # running the task's command is the point
        except OSError as error:
            os.write(failed_in, f"{error.errno} {error.strerror}".encode())
        except ValueError as error:  # such as a null character in the environment
            os.write(failed_in, f"{errno.EINVAL} {error}".encode())
        finally:
            os._exit(127)


def _adopt_orphans() -> None:
    """Become the subreaper: what loses its parent below this process becomes its child."""
    if _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _die_with_parent(parent: int, number: signal.Signals) -> None:
    """Have the kernel send a signal when the parent dies; send it now if it has died already."""
    _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def _end_tree(ended: Callable[[int, int], None]) -> None:
    """Kill and collect every descendant; ``ended`` is told process id and wait status of each child.

    A process that forks meanwhile is met in the next round.
    """
    while True:
        _kill_tree()
        try:
            ended(*os.waitpid(-1, 0))
        except ChildProcessError:
            return


def _kill_tree() -> None:
    """SIGKILL every descendant."""
    for pid in _descendants():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _descendants() -> set[int]:
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", "rb") as file:
                # The command name may hold anything, but it ends with the last parenthesis.
                parents[int(entry)] = int(file.read().rpartition(b")")[2].split()[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found - {os.getpid()}


def _children_of(pid: int) -> list[int]:
    """Return every descendant, by the kernel's own lists: cheap enough to ask for all the time."""
    found = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                for child in map(int, file.read().split()):
                    found += [child, *_children_of(child)]
    return found


def _anonymous(pid: int) -> int:
    """Return the bytes of a process's own that are in memory, shared ones included."""
    return _kilobytes(f"/proc/{pid}/status", b"RssAnon:", b"RssShmem:")


def _proportional(pid: int) -> int:
    """Return the same with each shared page divided by those who share it."""
    return _kilobytes(f"/proc/{pid}/smaps_rollup", b"Pss_Anon:", b"Pss_Shmem:")


def _kilobytes(path: str, *names: bytes) -> int:
    """Return the sum of these lines of a file, in bytes; 0 for a process that has ended."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return 1024 * sum(int(line.split()[1]) for line in file if line.startswith(names))
    return 0


def _tell(status: int, message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the emulator is gone; the tree is ended all the same
        os.write(status, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
