"""HTTP/1.1 on asyncio streams: heads, and bodies by length, in chunks or to the end (RFC 9112).

For the data plane and the prober, which need the bytes as they come and little else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The largest head that is read, in bytes: ALB's limit of 64 KB for all headers, and a start line.
HEAD_LIMIT = 80 * 1024
_CHUNK = 64 * 1024
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")

Framing = int | Literal["chunked", "to-end"]
Body = AsyncIterator[bytes]


class WireError(Exception):
    """The other side does not speak HTTP/1.1. ``status`` is what a client is told (400 or 431)."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Head:
    """A start line, split at its first two spaces, and the header fields in their order."""

    start: tuple[str, str, str]
    fields: list[tuple[str, str]]

    def get(self, name: str) -> str | None:
        """Return the values of a field joined by commas, or None. ``name`` is in lower case."""
        values = self.all(name)
        return ", ".join(values) if values else None

    def all(self, name: str) -> list[str]:
        """Return every value of a field."""
        return [value for key, value in self.fields if key.lower() == name]

    def has_token(self, name: str, token: str) -> bool:
        """Whether a comma-separated field lists ``token`` (case does not matter)."""
        return any(part.strip().lower() == token for value in self.all(name) for part in value.split(","))

    def without(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """Return the fields but those named (in lower case)."""
        dropped = frozenset(names)
        return [(key, value) for key, value in self.fields if key.lower() not in dropped]


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """Return the next head, or None where the other side has ended between messages.

    The reader's limit must be :data:`HEAD_LIMIT`. Raises :class:`WireError`, or ``ConnectionError`` within a head.
    """
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
        while raw == b"\r\n\r\n":
            raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if not end.partial.strip():
            return None
        raise ConnectionResetError("the connection ended within a head") from end
    except asyncio.LimitOverrunError as error:
        raise WireError("the head is too large", 431) from error
    return _parse(raw.lstrip(b"\r\n"))


def _parse(raw: bytes) -> Head:
    first, *lines = raw[:-4].decode("latin-1").split("\r\n")
    start = first.split(" ", 2)
    if len(start) < 2:
        raise WireError("not a start line")
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise WireError("not a header field")
        fields.append((name, value.strip(" \t")))
    return Head((start[0], start[1], start[2] if len(start) > 2 else ""), fields)


def request_framing(head: Head) -> Framing:
    """Return how the body of a request ends. Raises :class:`WireError` where that is ambiguous."""
    coding, length = head.get("transfer-encoding"), head.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise WireError("ambiguous body length")
        return "chunked"
    return _length(length) if length is not None else 0


def response_framing(head: Head, method: str) -> Framing:
    """Return how the body of a response to ``method`` ends. Raises :class:`WireError`."""
    status = int(head.start[1])
    if method == "HEAD" or status in (204, 304) or 100 <= status < 200:
        return 0
    if head.has_token("transfer-encoding", "chunked"):
        return "chunked"
    length = head.get("content-length")
    return _length(length) if length is not None else "to-end"


def _length(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise WireError("not a length")
    return int(text)


async def payload(reader: asyncio.StreamReader, framing: Framing) -> Body:
    """Yield the body without its framing; trailer fields are dropped.

    Raises ``ConnectionError`` where it ends early and :class:`WireError` where a chunk is malformed.
    """
    if framing == "to-end":
        while data := await reader.read(_CHUNK):
            yield data
    elif framing == "chunked":
        while size := await _chunk_size(reader):
            async for data in _exactly(reader, size):
                yield data
            await _line(reader)
        while await _line(reader):
            pass
    else:
        async for data in _exactly(reader, framing):
            yield data


async def _exactly(reader: asyncio.StreamReader, size: int) -> Body:
    while size:
        data = await reader.read(min(size, _CHUNK))
        if not data:
            raise ConnectionResetError("the connection ended within a body")
        size -= len(data)
        yield data


async def _chunk_size(reader: asyncio.StreamReader) -> int:
    text = (await _line(reader)).partition(b";")[0].strip()
    if not _SIZE.fullmatch(text):
        raise WireError("not a chunk size")
    return int(text, 16)


async def _line(reader: asyncio.StreamReader) -> bytes:
    line = await reader.readline()
    if not line.endswith(b"\n"):
        raise ConnectionResetError("the connection ended within a body")
    return line.rstrip(b"\r\n")


def encode_head(start: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """Return a head as bytes."""
    return "".join([start, "\r\n", *(f"{name}: {value}\r\n" for name, value in fields), "\r\n"]).encode("latin-1")


def encode(data: bytes, framing: Framing) -> bytes:
    """Return a piece of a body in its framing."""
    return b"%x\r\n%b\r\n" % (len(data), data) if framing == "chunked" else data


def encode_end(framing: Framing) -> bytes:
    """Return what ends a body in its framing."""
    return b"0\r\n\r\n" if framing == "chunked" else b""
