"""What seatrial.toml asks for and nothing is made of, or not where it is asked for: said wherever it would be missed.

Pure. Empty for settings that are carried out in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.config.hooks import stages
from seatrial.config.strategies import Rolling

if TYPE_CHECKING:
    from seatrial.config.models import Settings


def gaps(settings: Settings) -> tuple[str, ...]:
    """Return a sentence for each key of an environment's settings that has no effect there."""
    found = []
    if settings.smoke and isinstance(settings.target.strategy, Rolling):
        found.append(
            "[smoke] is not asked: under the rolling strategy users see new tasks at once; "
            "blue_green, canary, linear and codedeploy test them first"
        )
    found += [
        f"hooks.{name} is not asked: {settings.target.strategy.type} has none of its stages ({', '.join(hook.stages)})"
        for name, hook in settings.hooks.items()
        if not stages(hook, settings.target.strategy)
    ]
    return tuple(found)
