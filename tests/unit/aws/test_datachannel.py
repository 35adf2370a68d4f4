"""The messages of a data channel: the client's and the emulator's own reading of one format agree."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.aws import channelmessages
from seatrial.aws.channelmessages import ChannelMessage
from seatrial.emulator.sessions import messages

ID = UUID("00112233-4455-6677-8899-aabbccddeeff")


def test_the_bytes_are_those_of_the_session_manager_plugin() -> None:
    """Field by field as its sources lay them out (src/message/clientmessage.go)."""
    data = messages.Message(messages.OUTPUT, b"hi", messages.TEXT, sequence=3, flags=1, id=ID).encode(1_700_000_000_123)
    assert int.from_bytes(data[0:4]) == 116
    assert data[4:36] == b"output_stream_data".ljust(32)
    assert int.from_bytes(data[36:40]) == 1
    assert int.from_bytes(data[40:48]) == 1_700_000_000_123
    assert int.from_bytes(data[48:56]) == 3
    assert int.from_bytes(data[56:64]) == 1
    assert data[64:80] == ID.bytes[8:] + ID.bytes[:8]
    assert data[80:112] == hashlib.sha256(b"hi").digest()
    assert int.from_bytes(data[112:116]) == 1
    assert int.from_bytes(data[116:120]) == 2
    assert data[120:] == b"hi"


@given(st.binary(), st.sampled_from([1, 3, 5, 6, 7, 10]), st.integers(0, 2**40), st.uuids())
def test_each_side_reads_what_the_other_writes(payload: bytes, kind: int, sequence: int, identity: UUID) -> None:
    sent = ChannelMessage(channelmessages.INPUT, payload, kind, sequence, identity)
    read = messages.decode(channelmessages.encoded(sent, milliseconds=5))
    assert read == messages.Message(messages.INPUT, payload, kind, sequence, 0, identity)
    back = messages.Message(messages.OUTPUT, payload, kind, sequence, 0, identity)
    found = channelmessages.decoded(back.encode(5))
    assert found == ChannelMessage(channelmessages.OUTPUT, payload, kind, sequence, identity)


def test_what_arrives_damaged_is_refused() -> None:
    data = messages.Message(messages.OUTPUT, b"hello", messages.TEXT).encode(1)
    for broken in (b"", data[:100], data[:-1] + b"!", data[:-1]):
        with pytest.raises(ValueError, match=r".+"):
            messages.decode(broken)
        with pytest.raises(ValueError, match=r".+"):
            channelmessages.decoded(broken)
