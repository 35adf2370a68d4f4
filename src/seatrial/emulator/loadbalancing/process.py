"""A child process that cannot outlive the emulator, even when that is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.emulator.loadbalancing import launcher

if TYPE_CHECKING:
    from collections.abc import Sequence


class ProxyProcess:
    """One running program, its output in ``log``.

    The kernel's death signal comes when the *thread* that forked ends, so the fork is made by a thread that then waits
    for the child and therefore lives as long as it.
    """

    def __init__(
        self, program: Sequence[str], *, log: Path, directory: Path | None = None, pass_fds: Sequence[int] = ()
    ) -> None:
        self._program = [sys.executable, "-I", "-S", launcher.__file__, str(os.getpid()), *program]
        self._log = log
        self._directory = directory
        self._pass_fds = pass_fds
        self._process: subprocess.Popen[bytes] | None = None
        self._error: OSError | None = None
        self._forked = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name=f"keeper of {Path(program[0]).name}", daemon=True)
        self._keeper.start()
        self._forked.wait()
        if self._error:
            raise self._error

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process
        return self._process.pid

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._keeper.is_alive()

    def stop(self, timeout: float = 5.0) -> None:
        """SIGTERM, and SIGKILL after ``timeout`` seconds. Returns when it is gone."""
        assert self._process
        if self.alive():
            self._process.terminate()
            self._keeper.join(timeout)
        if self.alive():
            self._process.kill()
            self._keeper.join()

    def rss(self) -> int:
        """Return the resident memory in bytes, 0 when it has ended."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        except FileNotFoundError:
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def log_tail(self, size: int = 2000) -> str:
        """Return the end of its output."""
        return self._log.read_bytes()[-size:].decode(errors="replace")

    def _keep(self) -> None:
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    self._program,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._directory,
                    pass_fds=self._pass_fds,
                    start_new_session=True,  # Ctrl-C in the terminal is for the emulator, which then stops the proxy
                )
        except OSError as error:
            self._error = error
            return
        finally:
            self._forked.set()
        self._process.wait()
