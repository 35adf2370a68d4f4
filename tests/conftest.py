"""The order in which files are begun: the longest first, so that no worker begins one when the others are done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

#: Files or directories below ``tests``.
_BEGUN = (
    "system",
    "functional/faults",
    "functional/migrations/test_releases.py",
    "functional/release/test_codedeploy.py",
    "functional/release/test_rollback.py",
    "functional/migrations/test_rules.py",
    "functional/release/test_policy.py",
    "functional/rehearsal/test_strategies.py",
    "functional/release/test_shifting.py",
    "functional/example/test_compose.py",
    "functional/release/test_emulator.py",
    "functional/emulator/runtime/test_docker.py",
    "functional",
    "unit",
)
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.path.relative_to(_HERE).as_posix()))


def _rank(path: str) -> int:
    return next((rank for rank, place in enumerate(_BEGUN) if f"{path}/".startswith(f"{place}/")), len(_BEGUN))
