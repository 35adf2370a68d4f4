"""What databases are told in their own languages, whatever the names and passwords are."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from seatrial.emulator.children import Children
from seatrial.emulator.data.postgres import _identifier, _literal
from seatrial.emulator.data.rds import generated_password
from seatrial.emulator.data.valkey import ValkeyOptions, ValkeyServer, _configuration, _encoded

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(TEXT)
def test_sql_literals_and_identifiers_end_where_they_should(text: str) -> None:
    for quoted, mark in ((_literal(text), "'"), (_identifier(text), '"')):
        inner = quoted[1:-1]
        assert quoted[0] == quoted[-1] == mark
        assert inner.replace(mark * 2, "").count(mark) == 0
        assert inner.replace(mark * 2, mark) == text


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_valkey_commands_carry_any_character(words: list[str]) -> None:
    raw, decoded = _encoded(*words), []
    count, raw = raw.split(b"\r\n", 1)
    for _ in range(int(count[1:])):
        size, raw = raw.split(b"\r\n", 1)
        length = int(size[1:])
        decoded.append(raw[:length].decode())
        raw = raw[length + 2 :]
    assert (decoded, raw) == (words, b"")


def test_managed_passwords_have_every_kind_and_nothing_rds_avoids() -> None:
    made = {generated_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert len(password) == 28
        assert not set(password) & set("/@\" '")
        assert any(each.islower() for each in password)
        assert any(each.isupper() for each in password)
        assert any(each.isdigit() for each in password)
        assert any(not each.isalnum() for each in password)


def test_valkey_configuration() -> None:
    options = ValkeyOptions(password='a "quoted" \\ token', cluster=True)
    server = ValkeyServer(Path("/state"), "127.16.250.1", 6379, children=Children(), log=Path("/log"), options=options)
    lines = _configuration(server, Path("/state/with space"), "127.16.250.2", options).splitlines()
    assert 'dir "/state/with space"' in lines
    assert 'requirepass "a \\"quoted\\" \\\\ token"' in lines
    assert "cluster-announce-ip 127.16.250.2" in lines
    assert 'save ""' in lines
