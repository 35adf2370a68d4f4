"""ECS for one test. Files whose tests only ask it make one for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functional.emulator.ecs.support import Rig, emulated_ecs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with emulated_ecs(tmp_path) as rig:
        yield rig
