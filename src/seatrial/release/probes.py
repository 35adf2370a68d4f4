"""What smoke checks do on this machine: ask by HTTP, run a program. The effects behind :mod:`.smoke`."""

from __future__ import annotations

import http.client
import os
import signal
import ssl
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

#: Bytes of an answer, and of a program's output, that are looked at.
_MOST = 256 * 1024
#: Seconds between two questions whether a program that runs is to be ended.
_PACE = 0.1


@dataclass(frozen=True)
class Request:
    """A GET of ``path`` from ``address`` (host:port).

    ``host`` is the Host header and, by TLS, the name that the certificate must be for; None is the address's own.
    ``trusted`` False takes any certificate: that of an emulator on this machine.
    """

    address: str
    path: str
    secure: bool = False
    host: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 30.0
    trusted: bool = True


@dataclass(frozen=True)
class Answer:
    """Status and text of an answer, or why there is none."""

    status: int | None
    text: str
    problem: str | None = None


@dataclass(frozen=True)
class Ran:
    """A program's exit code (None if it was ended), its output, or why it could not be started."""

    exit_code: int | None
    output: str
    problem: str | None = None


class Probes:
    """Does it."""

    def get(self, request: Request) -> Answer:
        """Ask once. A redirect is an answer."""
        connection = _connection(request)
        headers = dict(request.headers) | ({"Host": request.host} if request.host else {})
        try:
            connection.request("GET", request.path, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.read(_MOST).decode(errors="replace"))
        except (OSError, http.client.HTTPException) as error:
            return Answer(None, "", str(error) or type(error).__name__)
        finally:
            connection.close()

    def run(
        self,
        command: Sequence[str],
        directory: Path,
        variables: Mapping[str, str],
        *,
        timeout: float,
        stop: Callable[[], bool],
    ) -> Ran:
        """Run a program, for ``timeout`` seconds at most, or until ``stop`` says so; it is ended with all it started.

        It has a session of its own, so that Ctrl-C asks the person and does not end the check.
        """
        with tempfile.TemporaryFile() as output:
            try:
                process = subprocess.Popen(
                    list(command), cwd=directory, env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
                    stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                return Ran(None, "", f"cannot be started: {error}")
            problem = _until_it_ends(process, time.monotonic() + timeout, stop, timeout)
            output.seek(max(0, output.seek(0, os.SEEK_END) - _MOST))
            text = output.read().decode(errors="replace")
        return Ran(None if problem else process.returncode, text, problem)


def _connection(request: Request) -> http.client.HTTPConnection:
    name, _, port = request.address.rpartition(":")
    if not request.secure:
        return http.client.HTTPConnection(name, int(port), timeout=request.timeout)
    context = ssl.create_default_context()
    if not request.trusted:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return _Secure(name, int(port), request.host or name, context, request.timeout)


class _Secure(http.client.HTTPSConnection):
    """A connection to one name whose certificate is for another: a load balancer's own, and the domain."""

    def __init__(self, name: str, port: int, certified: str, context: ssl.SSLContext, timeout: float) -> None:
        super().__init__(name, port, context=context, timeout=timeout)
        self._certified = certified
        self._tls = context

    def connect(self) -> None:
        """Connect by TCP, then shake hands under the certified name."""
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._certified)


def _until_it_ends(
    process: subprocess.Popen[bytes], deadline: float, stop: Callable[[], bool], timeout: float
) -> str | None:
    """Wait for the process; return why it was ended, None if it ended by itself."""
    problem = None
    while problem is None:
        try:
            process.wait(_PACE)
        except subprocess.TimeoutExpired:
            if stop():
                problem = "was interrupted"
            elif time.monotonic() > deadline:
                problem = f"did not end within {timeout:.0f} s"
        else:
            break
    if problem is not None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return problem
