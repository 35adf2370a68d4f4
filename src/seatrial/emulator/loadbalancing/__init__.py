"""Elastic Load Balancing that carries traffic. The contracts are here.

``service``      all of it together: what the emulator starts, installs on moto and stops
``api``          the actions of Elastic Load Balancing; ``refusals`` what they may not ask for here
``reader``       moto's listeners, rules and groups as a ``snapshot``
``lowering``     from a snapshot and the targets' health to a ``model`` of what the proxy must do. Pure
``targets``      which targets are registered and how healthy each is; ``probe`` and ``health`` find out
``traffic``      the weights of a listener rule, read and moved for Amazon ECS
``places``       the address and port that each listener really has here
``certificates`` the local authority for HTTPS listeners
``proxy``        the contract of both proxies; ``keeper`` starts one that died again
``envoy``        the proxy: Envoy, told by files; ``envoy_config`` writes them, ``sever`` cuts connections it holds
``builtin``      the proxy where no Envoy wheel fits: ``dataplane`` in a process of its own (``exchange``, ``passage``)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

TargetState = Literal["initial", "healthy", "unhealthy", "draining", "unused"]


@dataclass(frozen=True)
class TargetHealth:
    """One target as DescribeTargetHealth tells it. ``reason`` is a code such as ``Target.ResponseCodeMismatch``."""

    state: TargetState
    reason: str | None = None
    description: str | None = None


class Targets(Protocol):
    """What ECS may ask of and tell the load balancer. All calls are safe from any thread."""

    def register(self, target_group: str, address: str, port: int) -> None:
        """Add a target (state ``initial``) and begin to probe it."""
        ...

    def drain(self, target_group: str, address: str, port: int) -> None:
        """Stop sending new requests (state ``draining``); returns when the proxy has taken it up."""
        ...

    def remove(self, target_group: str, address: str, port: int) -> None:
        """Forget a target at once; returns when the proxy has taken it up."""
        ...

    def health(self, target_group: str, address: str, port: int) -> TargetHealth:
        """Return the state; ``unused`` for a target nobody registered or a group no listener uses."""
        ...

    def draining_seconds(self, target_group: str) -> float:
        """Return the group's deregistration delay in AWS's seconds (not scaled)."""
        ...

    def is_attached(self, target_group: str) -> bool:
        """Whether some listener or rule forwards to the group (CreateService refuses one where none does)."""
        ...


class Traffic(Protocol):
    """How ECS moves traffic between two target groups of a listener rule. Safe from any thread."""

    def forwards(self, rule: str) -> tuple[tuple[str, int], ...] | None:
        """Return the target groups that a rule forwards to with their weights; None where there is no such rule."""
        ...

    def shift(self, rule: str, weights: Mapping[str, int]) -> None:
        """Have a rule forward to these target groups by weight; returns when the proxy has taken it up.

        Raises ``KeyError`` where there is no such rule.
        """
        ...


class Listeners(Traffic, Protocol):
    """How CodeDeploy moves traffic: by all rules of a listener that forward to one of two target groups."""

    def rules(self, listener: str) -> tuple[str, ...] | None:
        """Return the rules of a listener, the default one too; None where there is no such listener."""
        ...
