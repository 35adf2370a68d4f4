"""The cache of prepared images on a real disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from seatrial.emulator.runtime.prepared import Prepared

if TYPE_CHECKING:
    from pathlib import Path


def made(home: Path) -> None:
    home.mkdir()
    (home / "file").write_text("made")


def never(_home: Path) -> None:
    raise AssertionError("it is there already")


def failing(home: Path) -> None:
    made(home)
    raise RuntimeError("half way")


def test_an_image_is_made_once_and_an_interrupted_attempt_counts_for_nothing(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path / "images")
    with pytest.raises(RuntimeError, match="half way"):
        prepared.ready("abc", failing)
    home = prepared.ready("abc", made)
    assert (home / "file").read_text() == "made"
    assert Prepared(tmp_path / "images").ready("abc", never) == home


def test_what_nobody_asked_for_in_two_weeks_is_removed(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path / "images")
    old, young = prepared.ready("old", made), prepared.ready("young", made)
    long_ago = young.stat().st_mtime - 15 * 24 * 3600
    os.utime(next(old.glob(".seatrial-*")), (long_ago, long_ago))
    prepared.ready("young", never)
    assert young.exists()
    assert not old.exists()
