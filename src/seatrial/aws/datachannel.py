"""A data channel of Session Manager, from the side of the person: keys out, text in. What ECS Exec opens.

The other side, the agent in the task, asks first what this side can do (the handshake), and then starts the command.
Messages of both streams are numbered and acknowledged; one that is not acknowledged in time is sent again.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from seatrial.aws import channelmessages as messages
from seatrial.aws.channelmessages import ChannelMessage, decoded, encoded
from seatrial.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.aws.clock import Clock

_ACTION = "ecs:ExecuteCommand"
#: The plugin's version whose protocol this is.
_CLIENT_VERSION = "1.2.650.0"
#: Seconds: for a connection; between two looks at what is late; after which a message is late.
_CONNECT, _LOOK, _LATE = 30.0, 0.2, 2.0
#: Status of an action in the handshake's answer.
_SUCCESS, _FAILED = 1, 2
_SESSIONS = ("Standard_Stream", "InteractiveCommands", "NonInteractiveCommands")


class DataChannel:
    """An open channel; use as a context manager. :meth:`type` and :meth:`resize` may be called from other threads.

    Raises :class:`~seatrial.aws.errors.AwsError` where it cannot be opened, breaks off, or wants what we cannot.
    """

    def __init__(self, url: str, token: str, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._unacknowledged: dict[int, tuple[bytes, float]] = {}
        self._next = 0
        self._expected = 0
        self._early: dict[int, ChannelMessage] = {}
        self._waiting: list[tuple[int, bytes]] | None = []
        loopback = urlsplit(url).hostname == "127.0.0.1"
        try:
            self._socket = connect(url, open_timeout=_CONNECT, max_size=None, proxy=None if loopback else True)
        except (OSError, WebSocketException) as error:
            raise _failed(f"the data channel cannot be opened: {error}") from error
        opening = {
            "MessageSchemaVersion": "1.0",
            "RequestId": str(uuid4()),
            "TokenValue": token,
            "ClientId": str(uuid4()),
            "ClientVersion": _CLIENT_VERSION,
        }
        self._socket.send(json.dumps(opening))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def text(self) -> Iterator[bytes]:
        """Yield what the command writes until it has ended, and nothing (``b""``) now and then while it is silent."""
        while True:
            self._send_late_again()
            try:
                received = self._socket.recv(_LOOK)
            except TimeoutError:
                yield b""
                continue
            except ConnectionClosed as error:
                raise _failed("the data channel broke off before the command had ended") from error
            try:
                message = decoded(received if isinstance(received, bytes) else received.encode())
            except ValueError as error:
                raise _failed(f"the data channel sent what is no message: {error}") from error
            if message.type == messages.CLOSED:
                yield from self._closing(message)
                return
            yield from self._taken(message)

    def type(self, keys: bytes) -> None:
        """Send what a person types, once the command has started: what comes before is not for it."""
        if keys:
            self._send_when_ready(messages.TEXT, keys)

    def resize(self, rows: int, columns: int) -> None:
        """Say how large the person's window is."""
        self._send_when_ready(messages.SIZE, json.dumps({"cols": columns, "rows": rows}).encode())

    def _taken(self, message: ChannelMessage) -> Iterator[bytes]:
        if message.type == messages.ACKNOWLEDGE:
            with self._lock:
                self._unacknowledged.pop(int(message.json()["AcknowledgedMessageSequenceNumber"]), None)
        elif message.type == messages.OUTPUT:
            self._acknowledge(message)
            if message.sequence >= self._expected:
                self._early[message.sequence] = message
            while (due := self._early.pop(self._expected, None)) is not None:
                self._expected += 1
                yield from self._in_order(due)

    def _in_order(self, message: ChannelMessage) -> Iterator[bytes]:
        if message.payload_type == messages.HANDSHAKE_REQUEST:
            self._shake(message.json())
            return
        self._start()
        if message.payload_type in (messages.TEXT, messages.STANDARD_ERROR):
            yield message.payload

    def _start(self) -> None:
        """Send what has waited for the end of the handshake. An old agent begins with text, without a handshake."""
        with self._lock:
            waiting, self._waiting = self._waiting or [], None
            for payload_type, payload in waiting:
                self._stream(payload_type, payload)

    def _send_when_ready(self, payload_type: int, payload: bytes) -> None:
        with self._lock:
            if self._waiting is None:
                self._stream(payload_type, payload)
            else:
                self._waiting.append((payload_type, payload))

    def _shake(self, asked: dict[str, Any]) -> None:
        """Answer what the agent wants to know before it starts."""
        done, errors = [], []
        for action in asked.get("RequestedClientActions", ()):
            kind, wanted = action["ActionType"], action.get("ActionParameters") or {}
            able = kind == "SessionType" and wanted.get("SessionType") in _SESSIONS
            error = "" if able else f"{kind} is not supported"
            done.append(
                {
                    "ActionType": kind,
                    "ActionStatus": _SUCCESS if able else _FAILED,
                    "ActionResult": None,
                    "Error": error,
                }
            )
            errors += [error] if error else []
        answer = {"ClientVersion": _CLIENT_VERSION, "ProcessedClientActions": done, "Errors": errors}
        with self._lock:
            self._stream(messages.HANDSHAKE_RESPONSE, json.dumps(answer).encode())
        if errors:
            raise AwsError(
                f"the session asks for what seatrial does not do: {'; '.join(errors)}",
                code="UnsupportedSession",
                action=_ACTION,
                hint="`aws ecs execute-command` with the Session Manager plugin knows encryption with a KMS key",
            )

    def _closing(self, message: ChannelMessage) -> Iterator[bytes]:
        output = str(message.json().get("Output") or "")
        if output:
            yield f"{output}\n".encode()

    def _acknowledge(self, message: ChannelMessage) -> None:
        content = {
            "AcknowledgedMessageType": message.type,
            "AcknowledgedMessageId": str(message.id),
            "AcknowledgedMessageSequenceNumber": message.sequence,
            "IsSequentialMessage": True,
        }
        self._send(self._encoded(messages.ACKNOWLEDGE, json.dumps(content).encode(), 0, 0))

    def _stream(self, payload_type: int, payload: bytes) -> None:
        """Send the next message of the stream. The lock must be held."""
        data = self._encoded(messages.INPUT, payload, payload_type, self._next)
        self._unacknowledged[self._next] = data, self._clock.monotonic()
        self._next += 1
        self._send(data)

    def _send_late_again(self) -> None:
        now = self._clock.monotonic()
        with self._lock:
            late = {n: data for n, (data, at) in self._unacknowledged.items() if now - at > _LATE}
            for number, data in late.items():
                self._unacknowledged[number] = data, now
                self._send(data)

    def _encoded(self, kind: str, payload: bytes, payload_type: int, sequence: int) -> bytes:
        message = ChannelMessage(kind, payload, payload_type, sequence, uuid4())
        return encoded(message, milliseconds=int(self._clock.now().timestamp() * 1000))

    def _send(self, data: bytes) -> None:
        try:
            self._socket.send(data)
        except ConnectionClosed:  # whoever reads is told
            return


def _failed(message: str) -> AwsError:
    return AwsError(message, code="ChannelFailed", action=_ACTION)
