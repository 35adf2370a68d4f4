"""CloudFormation for a file's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functional.emulator.cloudformation.support import Bench, bench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("cloudformation")) as running:
        yield running
