"""An environment's strategy as it applies to each of its services. Pure.

The breaker's thresholds are for all services. What looks at traffic (shifting it, alarms with their bake time, early
success) is for those that have traffic: workers and the scheduler are always rolled. Gate tasks that a hook runs are
run once, by the first web service, which changes before the others then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from seatrial.config import hooks as hooks_
from seatrial.config.smoke import HELD
from seatrial.config.strategies import BlueGreen, Canary, CodeDeploy, Linear, Rolling, Shifting
from seatrial.stack import model, names

if TYPE_CHECKING:
    from collections.abc import Callable

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
    hooks = _hooks(settings)
    pause = HELD // 60 if settings.smoke else None
    if isinstance(strategy, CodeDeploy):
        by = _codedeploy(strategy, pause, gated=gated(settings) is service)
        return model.Deployment(alarms=strategy.alarms, codedeploy=by, hooks=hooks)
    pace = None if isinstance(strategy, BlueGreen) else (strategy.percent, strategy.interval // 60)
    return model.Deployment(
        strategy=_name(strategy),
        bake=strategy.bake // 60,
        percent=pace[0] if pace else None,
        interval=pace[1] if pace else None,
        pause=pause,
        alarms=strategy.alarms,
        breaker=breaker,
        hooks=hooks,
    )


def gated(settings: Settings) -> Service | None:
    """Return the service whose deployment runs the gate tasks in a hook, None where seatrial runs them itself."""
    strategy = settings.target.strategy
    if not isinstance(strategy, CodeDeploy) or strategy.gates != "hook":
        return None
    routed = [service for service in settings.services.values() if service.routed]
    return next((service for service in routed if service.role == "web"), routed[0])


def gate_hook(settings: Settings, containers: Callable[[str], model.Container]) -> model.GateHook | None:
    """Return the function that runs the gate tasks in a hook; ``containers`` has those of the tasks by name."""
    service = gated(settings)
    if service is None:
        return None
    gates = {name: task for name, task in settings.tasks.items() if task.gate}
    return model.GateHook(
        name=names.gate_function(settings),
        log_group=f"/aws/lambda/{names.gate_function(settings)}",
        unit=next(unit for unit, each in settings.services.items() if each is service),
        tasks=tuple(map(containers, gates)),
        timeouts=tuple(task.timeout for task in gates.values()),
    )


def test_entry(settings: Settings) -> model.TestEntry | None:
    """Return where new revisions are tested, None where traffic is not shifted."""
    strategy = settings.target.strategy
    if not isinstance(strategy, Shifting | CodeDeploy) or strategy.test_port is None:
        return None
    return model.TestEntry(strategy.test_port, strategy.test_from)


def _hooks(settings: Settings) -> tuple[model.Hook, ...]:
    found = ((name, hook, hooks_.stages(hook, settings.target.strategy)) for name, hook in settings.hooks.items())
    return tuple(model.Hook(name, hook.function, stages) for name, hook, stages in found if stages)


def _codedeploy(strategy: CodeDeploy, ready: int | None, *, gated: bool) -> model.CodeDeploy:
    kind, percent, interval = strategy.shift
    return model.CodeDeploy(
        configuration=strategy.predefined,
        kind="TimeBasedCanary" if kind == "canary" else "TimeBasedLinear",
        percent=percent,
        interval=interval // 60,
        wait=strategy.wait // 60,
        ready=ready,
        tests=strategy.test_port is not None,
        gated=gated,
    )


def _name(strategy: BlueGreen | Canary | Linear) -> Literal["BLUE_GREEN", "CANARY", "LINEAR"]:
    match strategy:
        case BlueGreen():
            return "BLUE_GREEN"
        case Canary():
            return "CANARY"
        case Linear():
            return "LINEAR"
