"""The messages of a data channel. Pure.

A header of fixed length, then the payload; numbers are big-endian. The type is padded with blanks; of the id's sixteen
bytes the second half comes first; the digest is the payload's SHA-256. The header's length, which comes first, does not
count the four bytes of the payload's length, which come last.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

INPUT, OUTPUT, ACKNOWLEDGE, CLOSED = "input_stream_data", "output_stream_data", "acknowledge", "channel_closed"

#: Types of payload.
TEXT, SIZE, HANDSHAKE_REQUEST, HANDSHAKE_RESPONSE, HANDSHAKE_COMPLETE, FLAG = 1, 3, 5, 6, 7, 10
#: The flag, four bytes, by which a client ends the session.
TERMINATE = 2

_HEADER = struct.Struct(">I32sIQqQ16s32sII")
_SCHEMA = 1
#: "SYN" and "FIN": the message stands alone.
_ALONE = 3


class MessageError(ValueError):
    """Bytes that are no message."""


@dataclass(frozen=True)
class Message:
    """``kind`` is the message type; ``sequence`` counts the messages of a stream from 0."""

    kind: str
    payload: bytes
    payload_type: int = 0
    sequence: int = 0
    flags: int = 0
    id: UUID | None = None

    def encode(self, milliseconds: int) -> bytes:
        """Return the bytes, with the time of now since 1970."""
        identity = (self.id or uuid4()).bytes
        return (
            _HEADER.pack(
                _HEADER.size - 4,
                self.kind.encode().ljust(32),
                _SCHEMA,
                milliseconds,
                self.sequence,
                self.flags,
                identity[8:] + identity[:8],
                hashlib.sha256(self.payload).digest(),
                self.payload_type,
                len(self.payload),
            )
            + self.payload
        )

    def content(self) -> Any:
        """Return what a payload of JSON says. Raises :class:`MessageError`."""
        try:
            return json.loads(self.payload)
        except ValueError as error:
            raise MessageError(f"the payload of a {self.kind} is no JSON") from error


def decode(data: bytes) -> Message:
    """Return the message. Raises :class:`MessageError`."""
    if len(data) < _HEADER.size:
        raise MessageError(f"{len(data)} bytes are no message")
    length, kind, _, _, sequence, flags, identity, digest, payload_type, size = _HEADER.unpack_from(data)
    payload = data[length + 4 :]
    if len(payload) != size or hashlib.sha256(payload).digest() != digest:
        raise MessageError("the payload is not the one that was sent")
    name = kind.decode(errors="replace").strip("\0 ")
    return Message(name, payload, payload_type, sequence, flags, UUID(bytes=identity[8:] + identity[:8]))


def acknowledgement(message: Message) -> Message:
    """Return the answer that a message of a stream was received."""
    content = {
        "AcknowledgedMessageType": message.kind,
        "AcknowledgedMessageId": str(message.id),
        "AcknowledgedMessageSequenceNumber": message.sequence,
        "IsSequentialMessage": True,
    }
    return Message(ACKNOWLEDGE, json.dumps(content).encode(), flags=_ALONE)
