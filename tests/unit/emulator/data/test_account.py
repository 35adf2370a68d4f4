"""Directories that a database's account can or cannot reach. The account here is one that no machine need have."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.emulator.children import Account
from seatrial.emulator.data import account as accounts
from seatrial.emulator.data.account import (
    can_reach,
    publish,
    reachable_copy,
    reachable_directory,
    remove_stand_in,
    sweep,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

STRANGER = Account(54_321, 54_321)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that everybody can enter (pytest's own are closed to others)."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def cave(open_path: Path) -> Path:
    """A directory below one that only its owner may enter."""
    (open_path / "closed" / "inner").mkdir(parents=True)
    (open_path / "closed").chmod(0o700)
    return open_path / "closed" / "inner"


@pytest.fixture
def elsewhere(open_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where stand-ins are made in these tests."""
    directory = open_path / "elsewhere"
    directory.mkdir()
    monkeypatch.setattr(accounts, "shared_directory", lambda _account: directory)
    return directory


def test_own_account_reaches_everything(cave: Path) -> None:
    assert can_reach(cave, None)
    assert reachable_directory(cave / "new", None) == cave / "new"


@pytest.mark.parametrize(("mode", "reached"), [(0o755, True), (0o711, True), (0o750, False), (0o700, False)])
def test_every_parent_must_let_the_account_in(cave: Path, mode: int, reached: bool) -> None:
    cave.parent.chmod(mode)
    assert can_reach(cave, STRANGER) is reached


def test_directory_itself_must_be_readable(open_path: Path) -> None:
    open_path.chmod(0o711)
    assert not can_reach(open_path, STRANGER)


def test_owner_and_group_count_by_their_own_bits(open_path: Path) -> None:
    open_path.chmod(0o705)
    group_only = Account(54_321, open_path.stat().st_gid)
    assert not can_reach(open_path, group_only)
    assert can_reach(open_path, Account(os.getuid(), 54_321))


def test_stand_in_is_the_same_every_time_and_another_for_another(cave: Path, elsewhere: Path) -> None:
    first = reachable_directory(cave / "data", STRANGER)
    assert first == reachable_directory(cave / "data", STRANGER)
    assert first.parent == elsewhere
    (cave / "other").mkdir()
    assert reachable_directory(cave / "other" / "data", STRANGER) != first


def test_stand_in_goes_once_what_it_stands_in_for_is_gone(cave: Path, elsewhere: Path) -> None:
    kept, left = (reachable_directory(cave / name / "data", STRANGER) for name in ("kept", "left"))
    (left / "file").write_text("")
    (elsewhere / "program").mkdir()
    shutil.rmtree(cave / "left")
    sweep(STRANGER)
    assert {each for each in elsewhere.iterdir() if each.is_dir()} == {kept, elsewhere / "program"}
    remove_stand_in(cave / "kept" / "data", STRANGER)
    remove_stand_in(cave / "kept" / "data", STRANGER)
    assert [each.name for each in elsewhere.iterdir()] == ["program"]


def test_directory_that_can_be_reached_needs_no_stand_in(open_path: Path, elsewhere: Path) -> None:
    assert reachable_directory(open_path / "data", STRANGER) == open_path / "data"
    assert list(elsewhere.iterdir()) == []


def test_copy_is_made_once_and_only_where_needed(cave: Path, elsewhere: Path) -> None:
    (cave / "program").write_text("1")
    copy = reachable_copy(cave, "copy", STRANGER)
    assert copy == elsewhere / "copy"
    (cave / "program").write_text("2")
    assert (reachable_copy(cave, "copy", STRANGER) / "program").read_text() == "1"
    assert reachable_copy(cave, "copy", None) == cave
    assert [each.name for each in elsewhere.iterdir()] == ["copy"]


def test_second_to_finish_uses_the_first_result(open_path: Path) -> None:
    for name in ("first", "second"):
        (open_path / name).mkdir()
        (open_path / name / "by").write_text(name)
        publish(open_path / name, open_path / "final")
    assert (open_path / "final" / "by").read_text() == "first"
    assert [each.name for each in open_path.iterdir()] == ["final"]


def test_shared_directory_that_others_may_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert accounts.shared_directory(None) == tmp_path / "seatrial"
    (tmp_path / "seatrial").chmod(0o777)
    with pytest.raises(OSError, match="only user"):
        accounts.shared_directory(None)
