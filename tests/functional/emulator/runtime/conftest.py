"""A registry that a file's tests share, and the runtime of plain processes, new for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.emulator.runtime.process import ProcessRuntime
from seatrial.emulator.runtime.registry import Registry
from tests.functional.emulator.runtime.support import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runtime")


@pytest.fixture(scope="module")
def registry(place: Path) -> Iterator[Registry]:
    registry = Registry(place / "registry")
    registry.start()
    yield registry
    registry.stop()


@pytest.fixture
def runtime(place: Path, registry: Registry) -> Iterator[ProcessRuntime]:
    runtime = ProcessRuntime(settings(place / "state"), registry)
    yield runtime
    runtime.shutdown()
