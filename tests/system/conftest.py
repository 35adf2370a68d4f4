"""Stages that several tests share: starting one costs most of a test's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.stage import Stage, raised

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The example on the process runtime, its first version released."""
    with raised(tmp_path_factory.mktemp("process"), "process") as stage:
        outcome = stage.deploy()
        assert outcome.ok, outcome
        yield stage
