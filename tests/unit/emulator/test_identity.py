"""Which process is meant, and what the state file says of it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.emulator import state
from seatrial.emulator.addresses import Addresses
from seatrial.emulator.identity import is_running, started_at, tree_memory
from seatrial.emulator.settings import EmulatorSettings

if TYPE_CHECKING:
    from pathlib import Path


def test_this_process_is_running_and_no_other_is_it() -> None:
    started = started_at(os.getpid())
    assert started is not None
    assert is_running(os.getpid(), started)
    assert not is_running(os.getpid(), started + 1)
    assert started_at(2**22 + 1) is None  # above the kernel's largest process id


def test_memory_of_the_tree_is_that_of_this_process_at_least() -> None:
    assert tree_memory(os.getpid()) > 5 * 2**20


def info(tmp_path: Path) -> state.EmulatorInfo:
    return state.of_this_process(EmulatorSettings(name="local", state=tmp_path, port=4566, block=16))


def test_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = info(tmp_path)
    state.write(written)
    assert state.read(tmp_path) == written
    assert written.alive
    assert [each.name for each in tmp_path.iterdir()] == [state.FILE]
    state.remove(tmp_path)
    state.remove(tmp_path)
    assert state.read(tmp_path) is None


def test_emulator_of_an_earlier_process_is_not_alive(tmp_path: Path) -> None:
    assert not replace(info(tmp_path), started=1).alive


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": 1}', '{"name": "x", "unknown": 1}'])
def test_file_that_is_not_ours_is_no_emulator(tmp_path: Path, content: str) -> None:
    (tmp_path / state.FILE).write_text(content)
    assert state.read(tmp_path) is None


def test_stores_tasks_balancers_and_edges_never_share_an_address() -> None:
    addresses = Addresses(16)
    tasks = {addresses.task() for _ in range(240 * 250)}
    stores = {addresses.store() for _ in range(250)}
    balancers = {addresses.load_balancer() for _ in range(250)}
    edges = {addresses.distribution() for _ in range(250)}
    everything = tasks | stores | balancers | edges
    assert len(tasks) + len(stores) + len(balancers) + len(edges) == len(everything)
    with pytest.raises(OSError, match="no address for a database"):
        addresses.store()
    with pytest.raises(OSError, match="no address for a distribution"):
        addresses.distribution()
