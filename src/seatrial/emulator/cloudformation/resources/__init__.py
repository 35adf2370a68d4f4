"""Resource types: one row each, by service. What is in no row is kept as state only."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.resources.row import Row


@cache
def rows() -> dict[str, Row]:
    """Return every type that the emulator makes, by its name."""
    from seatrial.emulator.cloudformation.resources import (
        balancing,
        buckets,
        containers,
        databases,
        deployments,
        edge,
        functions,
        identity,
        messaging,
        network,
        observability,
        secretstore,
        service,
    )

    modules = (
        balancing,
        buckets,
        containers,
        databases,
        deployments,
        edge,
        functions,
        identity,
        messaging,
        network,
        observability,
        secretstore,
        service,
    )
    return {name: row for module in modules for name, row in module.ROWS.items()}
