"""Reading and writing HTTP/1.1, without a socket."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.emulator.loadbalancing import wire


def fed(*pieces: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=wire.HEAD_LIMIT)
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    return reader


def head_of(raw: bytes) -> wire.Head | None:
    async def read() -> wire.Head | None:
        return await wire.read_head(fed(raw))

    return asyncio.run(read())


def body_of(raw: bytes, framing: wire.Framing) -> tuple[bytes, bytes]:
    """Return the body and what follows it."""

    async def read() -> tuple[bytes, bytes]:
        reader = fed(raw)
        body = b"".join([data async for data in wire.payload(reader, framing)])
        return body, await reader.read()

    return asyncio.run(read())


def test_a_head_keeps_order_case_and_repetition() -> None:
    head = head_of(b"\r\n\r\nGET /a?b HTTP/1.1\r\nHost: x\r\nAccept: a\r\naccept:  b \r\n\r\n")
    assert head
    assert head.start == ("GET", "/a?b", "HTTP/1.1")
    assert head.fields == [("Host", "x"), ("Accept", "a"), ("accept", "b")]
    assert (head.get("accept"), head.all("accept"), head.get("none")) == ("a, b", ["a", "b"], None)
    assert head.without(["accept"]) == [("Host", "x")]


def test_tokens_are_found_in_lists_whatever_their_case() -> None:
    head = wire.Head(("", "", ""), [("Connection", "keep-alive, Upgrade")])
    assert head.has_token("connection", "upgrade")
    assert not head.has_token("connection", "up")


def test_the_end_between_messages_is_no_error() -> None:
    assert head_of(b"") is None


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"GET / HT", ConnectionError),
        (b"GET\r\n\r\n", wire.WireError),
        (b"GET / HTTP/1.1\r\nno field\r\n\r\n", wire.WireError),
        (b"GET / HTTP/1.1\r\n folded: x\r\n\r\n", wire.WireError),
        (b"GET / HTTP/1.1\r\nspace : x\r\n\r\n", wire.WireError),
    ],
)
def test_a_broken_head_is_an_error(raw: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        head_of(raw)


def test_a_head_that_is_too_large_is_431() -> None:
    with pytest.raises(wire.WireError) as refused:
        head_of(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * wire.HEAD_LIMIT + b"\r\n")
    assert refused.value.status == 431


@pytest.mark.parametrize(
    ("fields", "framing"),
    [
        ([], 0),
        ([("Content-Length", "12")], 12),
        ([("Transfer-Encoding", "Chunked")], "chunked"),
    ],
)
def test_how_the_body_of_a_request_ends(fields: list[tuple[str, str]], framing: wire.Framing) -> None:
    assert wire.request_framing(wire.Head(("POST", "/", "HTTP/1.1"), fields)) == framing


@pytest.mark.parametrize(
    "fields",
    [
        [("Content-Length", "1"), ("Transfer-Encoding", "chunked")],
        [("Content-Length", "1"), ("Content-Length", "2")],
        [("Content-Length", "-1")],
        [("Transfer-Encoding", "gzip, chunked")],
    ],
)
def test_an_ambiguous_request_is_refused(fields: list[tuple[str, str]]) -> None:
    """Two readings of one request are how requests are smuggled past rules (RFC 9112, section 11.2)."""
    with pytest.raises(wire.WireError):
        wire.request_framing(wire.Head(("POST", "/", "HTTP/1.1"), fields))


@pytest.mark.parametrize(
    ("status", "method", "fields", "framing"),
    [
        ("200", "GET", [("Content-Length", "5")], 5),
        ("200", "HEAD", [("Content-Length", "5")], 0),
        ("304", "GET", [("Content-Length", "5")], 0),
        ("204", "GET", [], 0),
        ("101", "GET", [], 0),
        ("200", "GET", [("Transfer-Encoding", "chunked")], "chunked"),
        ("200", "GET", [], "to-end"),
    ],
)
def test_how_the_body_of_a_response_ends(
    status: str, method: str, fields: list[tuple[str, str]], framing: wire.Framing
) -> None:
    assert wire.response_framing(wire.Head(("HTTP/1.1", status, "OK"), fields), method) == framing


@given(st.lists(st.binary(min_size=1, max_size=50)), st.binary(max_size=20))
def test_chunks_come_back_as_they_went(pieces: list[bytes], rest: bytes) -> None:
    raw = b"".join(wire.encode(piece, "chunked") for piece in pieces) + wire.encode_end("chunked")
    assert body_of(raw + rest, "chunked") == (b"".join(pieces), rest)


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_a_body_by_length_ends_there(body: bytes, rest: bytes) -> None:
    assert body_of(body + rest, len(body)) == (body, rest)
    assert body_of(body + rest, "to-end") == (body + rest, b"")


def test_chunk_extensions_and_trailers_are_read_over() -> None:
    assert body_of(b"3;a=b\r\nabc\r\n0\r\nTrailer: x\r\n\r\nnext", "chunked") == (b"abc", b"next")


@pytest.mark.parametrize(
    ("raw", "framing", "error"),
    [
        (b"abc", 4, ConnectionError),
        (b"3\r\nab", "chunked", ConnectionError),
        (b"3\r\nabc\r\n", "chunked", ConnectionError),
        (b"zz\r\nabc\r\n", "chunked", wire.WireError),
        (b"-1\r\nabc\r\n", "chunked", wire.WireError),
        (b"0x3\r\nabc\r\n", "chunked", wire.WireError),
    ],
)
def test_a_body_that_breaks_off_is_an_error(raw: bytes, framing: wire.Framing, error: type[Exception]) -> None:
    with pytest.raises(error):
        body_of(raw, framing)


def test_a_head_is_written_as_it_is_read() -> None:
    raw = wire.encode_head("HTTP/1.1 200 OK", [("A", "1"), ("B", "")])
    assert raw == b"HTTP/1.1 200 OK\r\nA: 1\r\nB: \r\n\r\n"
