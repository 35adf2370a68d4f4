"""The output of a container or of a command in it, over a connection of its own (Docker API, "Attach to a container").

Attached before the container starts, no line is missed. Standard output and error come in frames of one stream each:
a byte for the stream, three of padding, four for the length.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.emulator.runtime import LogSink

_HEADER = struct.Struct(">BxxxL")
_SWITCHED = (101, 200)
_LONGEST_LINE = 262_144 - 26  # PutLogEvents: 256 KiB an event, 26 bytes of it its own


class Attached:
    """A connection that the engine has handed over to a stream of output. Raises ``OSError`` where it refuses.

    ``engine`` is the path of its socket, ``path`` and ``body`` are those of the request.
    """

    def __init__(self, engine: str, path: str, body: dict[str, object]) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        content = json.dumps(body)
        head = (
            f"POST /v1.41{path} HTTP/1.1",
            "Host: engine",
            "Connection: Upgrade",
            "Upgrade: tcp",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
        )
        try:
            self._socket.connect(engine)
            self._socket.sendall("\r\n".join([*head, "", content]).encode())
            self._answer = _answered(self._socket)
        except BaseException:
            self._socket.close()
            raise

    def pump(self, log: LogSink) -> None:
        """Hand each line to ``log`` until the container closes its output."""
        rest: dict[int, bytes] = {}
        while len(header := self._answer.fp.read(_HEADER.size)) == _HEADER.size:
            stream, length = _HEADER.unpack(header)
            *lines, left = (rest.get(stream, b"") + self._answer.fp.read(length)).split(b"\n")
            while len(left) > _LONGEST_LINE:
                lines.append(left[:_LONGEST_LINE])
                left = left[_LONGEST_LINE:]
            rest[stream] = left
            for line in lines:
                log(_text(line))
        for line in filter(None, rest.values()):
            log(_text(line))

    def ends_within(self, seconds: float) -> bool:
        """Drop the output until it ends; return False when the time is up before."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                if not self._answer.fp.read1():
                    return True
            except TimeoutError:
                break
        return False

    def read(self) -> bytes:
        """Wait for output of a command on a terminal, which comes without frames; nothing at its end."""
        return self._answer.fp.read1(65536)

    def write(self, data: bytes) -> None:
        """Send what somebody types."""
        self._socket.sendall(data)

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()
        self._socket.close()


class DockerTerminal:
    """See :class:`seatrial.emulator.runtime.Terminal`. Raises ``OSError`` where the engine does not start it."""

    def __init__(self, api: Any, engine: str, execution: str) -> None:
        self._api = api
        self._execution = execution
        self._attached = Attached(engine, f"/exec/{execution}/start", {"Detach": False, "Tty": True})

    def read(self) -> bytes:
        """See :meth:`seatrial.emulator.runtime.Terminal.read`."""
        try:
            return self._attached.read()
        except (OSError, ValueError):  # closed meanwhile
            return b""

    def write(self, data: bytes) -> None:
        """See :meth:`seatrial.emulator.runtime.Terminal.write`."""
        with contextlib.suppress(OSError):
            self._attached.write(data)

    def resize(self, rows: int, columns: int) -> None:
        """See :meth:`seatrial.emulator.runtime.Terminal.resize`."""
        from docker.errors import APIError

        with contextlib.suppress(APIError):  # it has ended
            self._api.exec_resize(self._execution, height=rows, width=columns)

    def close(self) -> None:
        """See :meth:`seatrial.emulator.runtime.Terminal.close`. The API cannot end a command: it is told to."""
        self.write(b"\x03\x04")
        self._attached.close()


def _answered(connection: socket.socket) -> http.client.HTTPResponse:
    """Read the head of the engine's answer; the frames follow on its ``fp``, which lives as long as the answer."""
    answer = http.client.HTTPResponse(connection, method="POST")
    answer.begin()
    if answer.status in _SWITCHED:
        return answer
    with answer:
        body = answer.read()
    try:  # Podman prepares the container here, so this is where a command is missed
        raise OSError(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        raise OSError(f"the engine does not hand out the output: HTTP status {answer.status}") from None


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
