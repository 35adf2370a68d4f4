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
    "functional/test_migrations_releases.py",
    "functional/test_release_codedeploy.py",
    "functional/test_release_rollback.py",
    "functional/test_migrations_rules.py",
    "functional/test_release_policy.py",
    "functional/test_rehearsal_strategies.py",
    "functional/test_release_shifting.py",
    "functional/test_compose.py",
    "functional/test_release_emulator.py",
    "functional/test_runtime_docker.py",
    "functional",
    "unit",
)
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.path.relative_to(_HERE).as_posix()))


def _rank(path: str) -> int:
    return next((rank for rank, place in enumerate(_BEGUN) if f"{path}/".startswith(f"{place}/")), len(_BEGUN))
