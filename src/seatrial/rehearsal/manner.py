"""How a rehearsal releases: as which environment, by which strategy, and how much of its waiting is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from seatrial.config.load import environments, load
from seatrial.config.models import Secret, Settings
from seatrial.config.strategies import Canary, CodeDeploy, Linear, Shifting
from seatrial.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.config.strategies import Strategy

#: Factor on AWS's own waits, unless a strategy's waits would take longer than :data:`_PATIENCE` seconds with it.
USUAL = 0.05
_PATIENCE = 30.0
#: Below this, ECS's wait for the answer of the smoke checks would be too short for real ones: 144 s instead of 2 h.
_LEAST = 0.02
#: Characters of the value that stands in for a secret which is kept elsewhere.
_STAND_IN = 32


@dataclass(frozen=True)
class Manner:
    """By which strategy an environment is released. ``waits`` are those that the strategy sets, by name.

    They and ``seconds``, which is how long all of them come to, are seconds on AWS.
    """

    environment: str
    strategy: str
    course: str
    waits: tuple[tuple[str, int], ...] = ()
    seconds: int = 0

    @property
    def sentence(self) -> str:
        """Say it: ``as production: canary (20 % of the requests for 2 min, then all)``."""
        course = f" ({self.course})" if self.course else ""
        return f"as {self.environment}: {self.strategy}{course}"

    def compressed(self, time_scale: float) -> str:
        """Say what became of the waits: ``the bake time of 4 min took 4.8 s``. Empty where nothing was compressed."""
        if time_scale == 1:
            return ""
        return ", ".join(
            f"the {name} of {_time(seconds)} took {_time(seconds * time_scale)}"
            for name, seconds in self.waits
            if seconds
        )


def manner(settings: Settings, environment: str | None = None) -> Manner:
    """Return how ``settings`` are released; ``environment`` is whose strategy it is, if not their own."""
    strategy = settings.target.strategy
    kind, percent, interval = _shift(strategy)
    course, waits = "", []
    if kind == "canary":
        course = f"{percent:g} % of the requests for {_time(interval)}, then all"
    elif kind == "linear":
        course = f"{percent:g} % more of the requests every {_time(interval)}"
    if interval:
        waits.append(("interval", interval))
    if isinstance(strategy, CodeDeploy):
        waits.append(("wait before the old version ends", strategy.wait))
    elif strategy.bake is not None:
        waits.append(("bake time", strategy.bake))
    return Manner(environment or settings.name, strategy.type, course, tuple(waits), _waits(settings))


def scale_for(settings: Settings) -> float:
    """Return the time scale for a rehearsal: a twentieth, or less where the strategy waits long."""
    waits = _waits(settings)
    return USUAL if waits * USUAL <= _PATIENCE else round(max(_LEAST, _PATIENCE / waits), 3)


def released_as(path: Path, environment: str, wanted: str | None, old: str | None) -> tuple[Settings, str]:
    """Return the settings of ``environment`` with the strategy and smoke checks of another, and that one's name.

    The other is ``wanted``; else ``old`` where that is an environment; else ``environment`` itself. Raises
    :class:`~seatrial.errors.UsageError` where the services cannot be released so.
    """
    settings = load(path, environment)
    other = wanted or (old if old in environments(path) else None) or environment
    if other == environment:
        return settings, environment
    theirs = load(path, other)
    target = settings.target.model_copy(update={"strategy": theirs.target.strategy})
    mixed = settings.model_copy(update={"target": target, "smoke": theirs.smoke})
    try:
        return Settings.model_validate(mixed.model_dump(by_alias=True)), other
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"{path}: {environment} cannot be released as {other} is: {problem}") from None


def other_strategies(path: Path, manner_: Manner) -> list[str]:
    """Return a sentence for each environment on AWS that is released by another strategy than the rehearsal."""
    said = []
    for name in environments(path):
        target = load(path, name).target
        if target.cloud == "aws" and target.strategy.type != manner_.strategy:
            said.append(f"{name} is released by {target.strategy.type}: rehearse that with --as {name}")
    return said


def on_this_machine(settings: Settings) -> tuple[Settings, list[str]]:
    """Return the settings with stand-ins for what only AWS has, and a sentence for each.

    The certificate of a domain is made anew, a site answers at an address of this machine, and a secret that is kept
    elsewhere has a value that means nothing.
    """
    said = []
    target = settings.target.model_copy(update={"cloud": "emulator", "certificate": None, "account": None})
    if settings.target.certificate is not None:
        said.append(f"{settings.target.domain} has a certificate of the emulator's own")
    elsewhere = [name for name, secret in settings.secrets.items() if secret.value_from is not None]
    if elsewhere:
        said.append(f"{', '.join(elsewhere)}: the value means nothing, the real one is in AWS")
    if settings.target.strategy.alarms:
        said.append(f"nothing sets off the alarms {', '.join(settings.target.strategy.alarms)}")
    secrets = {
        name: Secret(generate=_STAND_IN) if name in elsewhere else each for name, each in settings.secrets.items()
    }
    site = settings.site
    if site is not None and site.domain is not None:
        said.append(f"{site.domain} is served at an address of this machine, without TLS")
        site = site.model_copy(update={"domain": None, "certificate": None})
    return settings.model_copy(update={"target": target, "secrets": secrets, "site": site}), said


def _shift(strategy: Strategy) -> tuple[str, float, int]:
    """Return how traffic moves: in what way, percent, and seconds between two shifts."""
    match strategy:
        case CodeDeploy():
            return strategy.shift
        case Canary():
            return ("canary", strategy.percent, strategy.interval)
        case Linear():
            return ("linear", strategy.percent, strategy.interval)
    return (strategy.type, 100, 0)


def _waits(settings: Settings) -> int:
    strategy = settings.target.strategy
    return strategy.waits if isinstance(strategy, Shifting | CodeDeploy) else strategy.bake or 0


def _time(seconds: float) -> str:
    if seconds >= 3600 and seconds % 3600 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds >= 60 and seconds % 60 == 0 else f"{seconds:.3g} s"
