"""The messages of a Session Manager data channel, as ``aws/session-manager-plugin`` reads and writes them. Pure.

A header of fixed length, then the payload; numbers are big-endian. The first number is the header's length without the
last field, the payload's length. The type is padded with blanks; of the id's sixteen bytes the second half comes first;
the digest is the payload's SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any
from uuid import UUID

#: Message types.
INPUT, OUTPUT, ACKNOWLEDGE, CLOSED = "input_stream_data", "output_stream_data", "acknowledge", "channel_closed"
#: Payload types of stream messages.
TEXT, SIZE, HANDSHAKE_REQUEST, HANDSHAKE_RESPONSE, HANDSHAKE_COMPLETE, STANDARD_ERROR = 1, 3, 5, 6, 7, 11

_HEADER = struct.Struct(">I32sIQqQ16s32sII")
_LENGTH = struct.Struct(">I")
_SCHEMA = 1
#: Flags SYN and FIN: the message belongs to no stream.
_NO_STREAM = 3


@dataclass(frozen=True)
class ChannelMessage:
    """``sequence`` numbers the messages of each direction's stream from 0."""

    type: str
    payload: bytes
    payload_type: int
    sequence: int
    id: UUID

    def json(self) -> Any:
        """Return what a JSON payload holds. Raises ``ValueError``."""
        return json.loads(self.payload)


def encoded(message: ChannelMessage, *, milliseconds: int) -> bytes:
    """Return a message as bytes; ``milliseconds`` is when it was made, since 1970."""
    head = _HEADER.pack(
        _HEADER.size - _LENGTH.size,
        message.type.encode().ljust(32),
        _SCHEMA,
        milliseconds,
        message.sequence,
        _NO_STREAM if message.type == ACKNOWLEDGE else 0,
        message.id.bytes[8:] + message.id.bytes[:8],
        hashlib.sha256(message.payload).digest(),
        message.payload_type,
        len(message.payload),
    )
    return head + message.payload


def decoded(data: bytes) -> ChannelMessage:
    """Return the message in ``data``. Raises ``ValueError`` for what is none."""
    if len(data) < _HEADER.size:
        raise ValueError(f"{len(data)} bytes are too few for a message")
    length, kind, _, _, sequence, _, identity, digest, payload_type, _ = _HEADER.unpack_from(data)
    payload = data[length + _LENGTH.size :]
    if payload and hashlib.sha256(payload).digest() != digest:
        raise ValueError("a message arrived damaged")
    return ChannelMessage(
        kind.decode(errors="replace").strip("\0 "),
        payload,
        payload_type,
        sequence,
        UUID(bytes=identity[8:] + identity[:8]),
    )
