"""The weights of listener rules, as ECS and CodeDeploy read and move them. The only file here that writes moto's rules.

Names of moto used: ``elbv2_backends``, ``FakeListener.rules``, ``FakeListener.default_actions``,
``FakeRule.is_default`` and ``FakeAction``.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from seatrial.emulator.loadbalancing.snapshot import forwarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class RuleWeights:
    """See :class:`seatrial.emulator.loadbalancing.Listeners`.

    ``follow`` returns when the proxy has taken a change up.
    """

    def __init__(self, follow: Callable[[], None]) -> None:
        self._follow = follow

    def forwards(self, rule: str) -> tuple[tuple[str, int], ...] | None:
        """See :meth:`Traffic.forwards`."""
        found = _find(rule)
        if found is None:
            return None
        _, state = found
        return tuple(pair for action in list(state.actions) for pair in forwarded(action.data))

    def rules(self, listener: str) -> tuple[str, ...] | None:
        """See :meth:`Listeners.rules`."""
        found = next((each for each in _listeners() if each.arn == listener), None)
        return None if found is None else tuple(state.arn for state in list(found.rules.values()))

    def shift(self, rule: str, weights: Mapping[str, int]) -> None:
        """See :meth:`Traffic.shift`."""
        from moto.elbv2.models import FakeAction

        found = _find(rule)
        if found is None:
            raise KeyError(rule)
        listener, state = found
        actions = [FakeAction(_weighted(action.data, weights)) for action in list(state.actions)]
        state.actions = actions
        if state.is_default:
            listener.default_actions = actions
        self._follow()


def _weighted(action: Mapping[str, Any], weights: Mapping[str, int]) -> dict[str, Any]:
    """Return an action with its forward going to ``weights``; what else it says (stickiness, order) stays."""
    changed = copy.deepcopy(dict(action))
    if changed.get("Type") != "forward":
        return changed
    changed.pop("TargetGroupArn", None)
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    changed["ForwardConfig"] = {**(changed.get("ForwardConfig") or {}), "TargetGroups": groups}
    return changed


def _find(rule: str) -> tuple[Any, Any] | None:
    for listener in _listeners():
        for state in list(listener.rules.values()):
            if state.arn == rule:
                return listener, state
    return None


def _listeners() -> Iterator[Any]:
    from moto.elbv2.models import elbv2_backends

    for account in list(elbv2_backends.values()):
        for backend in list(account.values()):
            for balancer in list(backend.load_balancers.values()):
                yield from list(balancer.listeners.values())
