"""What environments that stand on one base must not both have. Pure.

An environment is validated by itself. Of the others only what decides here is read, and only as far as it is
well-formed: their own mistakes are told when they are loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.config.models import Environment
from seatrial.config.overlay import merged
from seatrial.config.strategies import Shifting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.config.models import Settings

_SHIFTING = ("blue_green", "canary", "linear")
_DEFAULT_PORT = Shifting.model_fields["test_port"].default


def with_same_test_port(document: Mapping[str, Any], settings: Settings) -> str | None:
    """Return the first other environment on the same load balancer whose test port is the same.

    AWS refuses the second listener on a port (``DuplicateListener``).
    """
    strategy = settings.target.strategy
    if not isinstance(strategy, Shifting):
        return None
    here = _place(merged(document, settings.name))
    for name in document.get("environments", {}):
        other = merged(document, name)
        if name != settings.name and _place(other) == here and _port(other) == strategy.test_port:
            return str(name)
    return None


def _place(values: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what tells one base from another: where it is, and its name."""
    target, app = values["target"], values.get("app")
    region = app.get("region") if isinstance(app, dict) else None
    base = target.get("base", Environment.model_fields["base"].default)
    return target.get("cloud", "aws"), target.get("account"), region, base


def _port(values: Mapping[str, Any]) -> object:
    """Return the test port, None where traffic is not shifted."""
    strategy = values["target"].get("strategy")
    if not isinstance(strategy, dict) or strategy.get("type") not in _SHIFTING:
        return None
    return strategy.get("test_port", _DEFAULT_PORT)
