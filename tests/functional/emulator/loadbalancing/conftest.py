"""moto's server with our load balancing behind it, once with each proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functional.emulator.loadbalancing.balancing import Aws, Servers, balanced, moto_server, target_servers
from tests.functional.emulator.loadbalancing.support import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def servers() -> Iterator[Servers]:
    with target_servers() as made:
        yield made


@pytest.fixture(params=KINDS)
def aws(request: pytest.FixtureRequest, endpoint: str, tmp_path: Path) -> Iterator[Aws]:
    with balanced(request.param, endpoint, tmp_path) as made:
        yield made


@pytest.fixture
def builtin(endpoint: str, tmp_path: Path) -> Iterator[Aws]:
    """For what does not depend on the proxy."""
    with balanced("builtin", endpoint, tmp_path) as made:
        yield made
