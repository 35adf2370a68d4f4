"""Every fault while a release goes on under the strategy ``codedeploy``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.functional.faults.stage import Shop, shop
from tests.functional.faults.suite import first_release_is_killed, happens
from tests.functional.faults.table import Fault, faults_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STRATEGY = "codedeploy"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp(STRATEGY), STRATEGY) as it:
        yield it


def test_a_first_release_that_is_killed(place: Shop) -> None:
    first_release_is_killed(place)


@pytest.mark.parametrize("fault", faults_of(STRATEGY), ids=str)
def test_fault(place: Shop, fault: Fault) -> None:
    happens(place, fault)
