"""An environment's strategy as it applies to each of its services. Pure.

The breaker's thresholds are for all services. What looks at traffic (shifting it, alarms with their bake time, early
success) is for those that have traffic: workers and the scheduler are always rolled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from seatrial.config.smoke import HELD
from seatrial.config.strategies import BlueGreen, Canary, Linear, Rolling, Shifting
from seatrial.stack import model

if TYPE_CHECKING:
    from seatrial.config.models import Service, Settings


def deployment(settings: Settings, service: Service) -> model.Deployment:
    """Return how a service changes to a new revision."""
    strategy = settings.target.strategy
    breaker = None
    if strategy.breaker is not None:
        given = strategy.breaker
        breaker = model.Breaker(given.type.upper(), given.value, given.reset_on_healthy_task)
    if not service.routed:
        return model.Deployment(breaker=breaker)
    if isinstance(strategy, Rolling):
        early = strategy.early_success
        return model.Deployment(
            bake=None if strategy.bake is None else strategy.bake // 60,
            alarms=strategy.alarms,
            breaker=breaker,
            early_success=None if early is None else model.EarlySuccess(early.healthy_percent, early.cleanup.upper()),
        )
    pace = None if isinstance(strategy, BlueGreen) else (strategy.percent, strategy.interval // 60)
    return model.Deployment(
        strategy=_name(strategy),
        bake=strategy.bake // 60,
        percent=pace[0] if pace else None,
        interval=pace[1] if pace else None,
        pause=HELD // 60 if settings.smoke else None,
        alarms=strategy.alarms,
        breaker=breaker,
    )


def test_entry(settings: Settings) -> model.TestEntry | None:
    """Return where new revisions are tested, None where traffic is not shifted."""
    strategy = settings.target.strategy
    return model.TestEntry(strategy.test_port, strategy.test_from) if isinstance(strategy, Shifting) else None


def _name(strategy: BlueGreen | Canary | Linear) -> Literal["BLUE_GREEN", "CANARY", "LINEAR"]:
    match strategy:
        case BlueGreen():
            return "BLUE_GREEN"
        case Canary():
            return "CANARY"
        case Linear():
            return "LINEAR"
