"""One data channel, on the agent's side: the handshake, then keys in and text out.

Each direction is a stream whose messages are numbered, acknowledged, and sent again until they are: the plugin takes no
text, and acknowledges none, before it has made its terminal ready. Methods are called on the connection's own thread,
but for :meth:`Channel._pump`, which reads the terminal on another.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed

from seatrial.emulator.sessions import messages
from seatrial.emulator.sessions.messages import Message, MessageError, acknowledgement, decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.sync.server import ServerConnection

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.runtime import Terminal

#: Seconds after which a message that was not acknowledged is sent again, and between two looks for such.
_AGAIN, _LOOK = 1.0, 0.2
#: Seconds that the last text may take to be acknowledged.
_LAST = 10.0
#: Bytes of text in one message, as the agent sends them.
_MOST = 1024
_VERSION = "3.3.0.0"


@dataclass
class _Sent:
    data: bytes
    at: float


class Channel:
    """Serves one connection. ``start`` starts the command; it raises ``OSError`` where that cannot be."""

    def __init__(
        self, connection: ServerConnection, session: str, command: str, start: Callable[[], Terminal], clock: Clock
    ) -> None:
        self._connection = connection
        self._session = session
        self._command = command
        self._start = start
        self._clock = clock
        self._lock = threading.Lock()
        self._unacknowledged: dict[int, _Sent] = {}
        self._sent = 0
        self._expected = 0
        self._terminal: Terminal | None = None
        self._size: tuple[int, int] | None = None
        self._ended_at: float | None = None

    def serve(self) -> None:
        """Speak until the command has ended or the other side has gone. Raises :class:`MessageError`."""
        parameters = {
            "SessionType": "InteractiveCommands",
            "Properties": {"linux": {"commands": self._command, "runAsElevated": False}},
        }
        asked = {"ActionType": "SessionType", "ActionParameters": parameters}
        self._stream(
            messages.HANDSHAKE_REQUEST,
            json.dumps({"AgentVersion": _VERSION, "RequestedClientActions": [asked]}).encode(),
        )
        try:
            while not self._over():
                self._hear()
                self._send_again()
            self._close("")
        except ConnectionClosed:
            return
        finally:
            if self._terminal is not None:
                self._terminal.close()

    def _over(self) -> bool:
        """Whether the command has ended and its text was taken, or should have been."""
        with self._lock:
            if self._ended_at is None:
                return False
            return not self._unacknowledged or self._clock.monotonic() - self._ended_at > _LAST

    def _hear(self) -> None:
        try:
            data = self._connection.recv(_LOOK)
        except TimeoutError:
            return
        message = decode(data if isinstance(data, bytes) else data.encode())
        if message.kind == messages.ACKNOWLEDGE:
            with self._lock:
                self._unacknowledged.pop(message.content().get("AcknowledgedMessageSequenceNumber"), None)
        elif message.kind == messages.INPUT and message.sequence <= self._expected:
            self._send(acknowledgement(message))
            if message.sequence == self._expected:
                self._expected += 1
                self._take(message)

    def _take(self, message: Message) -> None:
        match message.payload_type:
            case messages.HANDSHAKE_RESPONSE:
                self._shaken(message)
            case messages.SIZE:
                size = message.content()
                self._size = int(size["rows"]), int(size["cols"])
                if self._terminal is not None:
                    self._terminal.resize(*self._size)
            case messages.TEXT if self._terminal is not None:
                self._terminal.write(message.payload)
            case messages.FLAG if int.from_bytes(message.payload, "big") == messages.TERMINATE:
                self._end()
            case _:
                pass

    def _shaken(self, message: Message) -> None:
        """End the handshake, and start the command."""
        if errors := message.content().get("Errors"):
            raise MessageError(f"the client refuses the session: {errors}")
        complete = {"HandshakeTimeToComplete": 0, "CustomerMessage": ""}
        self._stream(messages.HANDSHAKE_COMPLETE, json.dumps(complete).encode())
        try:
            self._terminal = self._start()
        except OSError as error:
            self._stream(messages.TEXT, f"Unable to start command: {error}\r\n".encode())
            self._end()
            return
        if self._size is not None:
            self._terminal.resize(*self._size)
        threading.Thread(target=self._pump, args=(self._terminal,), name=self._session, daemon=True).start()

    def _pump(self, terminal: Terminal) -> None:
        try:
            while text := terminal.read():
                for begin in range(0, len(text), _MOST):
                    self._stream(messages.TEXT, text[begin : begin + _MOST])
        except (ConnectionClosed, OSError, ValueError):  # hung up
            return
        finally:
            self._end()

    def _end(self) -> None:
        with self._lock:
            if self._ended_at is None:
                self._ended_at = self._clock.monotonic()

    def _close(self, output: str) -> None:
        content = {
            "MessageType": messages.CLOSED,
            "SchemaVersion": 1,
            "SessionId": self._session,
            "CreatedDate": self._clock.now().isoformat(),
            "Output": output,
        }
        self._send(Message(messages.CLOSED, json.dumps(content).encode()))

    def _stream(self, payload_type: int, payload: bytes) -> None:
        """Send the next message of the stream out."""
        with self._lock:
            message = Message(messages.OUTPUT, payload, payload_type, self._sent)
            data = message.encode(self._milliseconds())
            self._unacknowledged[self._sent] = _Sent(data, self._clock.monotonic())
            self._sent += 1
        self._connection.send(data)

    def _send_again(self) -> None:
        now = self._clock.monotonic()
        with self._lock:
            late = [each for each in self._unacknowledged.values() if now - each.at > _AGAIN]
            for each in late:
                each.at = now
        for each in late:
            self._connection.send(each.data)

    def _send(self, message: Message) -> None:
        self._connection.send(message.encode(self._milliseconds()))

    def _milliseconds(self) -> int:
        return int(self._clock.now().timestamp() * 1000)
