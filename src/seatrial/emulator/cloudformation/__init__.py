"""CloudFormation on this machine, on the registry's own schemas.

``template`` and ``intrinsics`` are the language, ``parameters`` its input, ``graph`` the order; ``blueprint`` brings
them together as what a stack is to be. ``changes`` says what differs between two versions of a resource and is asked by
change sets (``plan``) and updates alike. ``create``, ``update`` and ``delete`` are the operations, with ``hands`` to do
one thing to one resource, ``resources`` the types as rows over AWS's API, ``nested`` the stacks in stacks. ``engine``
starts operations, ``api`` answers requests.

What is not imitated: transforms other than AWS::LanguageExtensions' functions, Fn::ForEach, stack policies, stack sets,
drift detection and import of resources. Custom resources and wait conditions are kept as state only, as every type
without an engine is, and said to be: nothing is called and nothing waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.engine import CloudFormationEngine

__all__ = ["CloudFormationEngine"]


def __getattr__(name: str) -> Any:
    """Import the engine, and moto with it, when it is asked for: moto reads its environment at its import."""
    if name == "CloudFormationEngine":
        from seatrial.emulator.cloudformation.engine import CloudFormationEngine

        return CloudFormationEngine
    raise AttributeError(name)
