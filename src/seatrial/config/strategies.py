"""``strategy``: how the services of an environment change to a new version, in ECS's terms.

Ranges and defaults are those of ``DeploymentConfiguration`` in the ECS service model and of its CloudFormation schema.
ECS counts bake times in minutes, so they are whole minutes here.
"""

from __future__ import annotations

import ipaddress
import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from seatrial.config.fields import SECONDS, Model

#: The longest bake time or interval: a day, in seconds.
_LONGEST = 86_400
#: Seconds of bake time and intervals together that CloudFormation accepts (AWS::ECS::Service, CanaryConfiguration and
#: LinearConfiguration: 33 hours).
_LONGEST_IN_ALL = 33 * 3600


def _whole_minutes(seconds: int) -> int:
    if seconds % 60:
        raise ValueError(f"expected whole minutes, which is how ECS counts, not {seconds} s")
    return seconds


def _tenths(percent: float) -> float:
    if not math.isclose(percent * 10, round(percent * 10), abs_tol=1e-6):
        raise ValueError(f"expected a multiple of 0.1, not {percent}")
    return round(percent, 1)


def _block(text: str) -> str:
    try:
        return str(ipaddress.IPv4Network(text))
    except ValueError as error:
        raise ValueError(f'expected an IPv4 range such as "198.51.100.7/32": {error}') from None


Minutes = Annotated[int, SECONDS, Field(ge=0, le=_LONGEST), AfterValidator(_whole_minutes)]
Range = Annotated[str, AfterValidator(_block)]


class Breaker(Model):
    """ECS's deployment circuit breaker: after how many failed tasks a deployment is rolled back."""

    type: Literal["count", "bounded_percent", "unbounded_percent"] = Field(
        default="bounded_percent",
        description="count: so many tasks. bounded_percent: of the desired count, at least 3 and at most 200 tasks. "
        "unbounded_percent: the same without bounds",
    )
    value: int = Field(default=50, ge=1, description="tasks, or percent")
    reset_on_healthy_task: bool = Field(default=True, description="a task that becomes healthy resets the count")


class EarlySuccess(Model):
    """When a rolling update is a success before every task is replaced (ECS: earlySuccessCriteria)."""

    healthy_percent: int = Field(
        ge=0, le=100, description="of the desired count; not below the minimum healthy percent"
    )
    cleanup: Literal["blocking", "deferred"] = Field(
        default="blocking", description="whether the old tasks are removed before the end or after it"
    )


def _free(port: int) -> int:
    if port in (80, 443):
        raise ValueError(f"{port} is a port that users come in by")
    return port


class _Strategy(Model):
    """What all strategies have."""

    alarms: tuple[str, ...] = Field(
        default=(),
        description="CloudWatch alarms; one that goes off during a deployment or its bake time rolls it back",
    )
    breaker: Breaker | None = Field(default=None, description="thresholds of the circuit breaker, which is always on")


class Rolling(_Strategy):
    """New tasks replace old ones within the percentages of the service."""

    type: Literal["rolling"]
    bake: Minutes | None = Field(default=None, description="how long alarms are watched after the last task")
    early_success: EarlySuccess | None = None


class Shifting(_Strategy):
    """What the strategies have that start the new version beside the old one and then move traffic to it."""

    bake: Minutes = Field(
        default=900, description="so long both versions run after all traffic has moved; going back then takes seconds"
    )
    test_port: Annotated[int, Field(ge=1, le=65535), AfterValidator(_free)] = Field(
        default=9443, description="port of the load balancer on which the new version is tested first"
    )
    test_from: tuple[Range, ...] = Field(
        default=(), description="IPv4 ranges that may reach the test port; none is opened unless named here"
    )

    @property
    def steps(self) -> int:
        """How often there is a wait between two shifts of traffic."""
        return 0

    @property
    def waits(self) -> int:
        """Seconds that a deployment waits by itself, all shifts and the bake time together."""
        return self.bake + self.steps * getattr(self, "interval", 0)

    @model_validator(mode="after")
    def _ends_in_time(self) -> Shifting:
        if self.waits > _LONGEST_IN_ALL:
            raise ValueError(
                f"bake time and intervals are {self.waits / 3600:.1f} h together; CloudFormation takes no more than "
                f"{_LONGEST_IN_ALL // 3600} h"
            )
        return self


class BlueGreen(Shifting):
    """All traffic moves at once."""

    type: Literal["blue_green"]


class Canary(Shifting):
    """A part of the traffic moves first, the rest after the interval."""

    type: Literal["canary"]
    percent: Annotated[float, Field(ge=0.1, le=100), AfterValidator(_tenths)] = Field(
        default=5.0, description="part of the traffic that moves first"
    )
    interval: Minutes = Field(default=600, description="so long it stays at that part")

    @property
    def steps(self) -> int:
        """See :attr:`Shifting.steps`."""
        return 1 if self.percent < 100 else 0


class Linear(Shifting):
    """Traffic moves in equal steps."""

    type: Literal["linear"]
    percent: Annotated[float, Field(ge=3, le=100), AfterValidator(_tenths)] = Field(
        default=10.0, description="part of the traffic that moves with each step"
    )
    interval: Minutes = Field(default=360, description="time between two steps")

    @property
    def steps(self) -> int:
        """See :attr:`Shifting.steps`."""
        return math.ceil(round(100 / self.percent, 6)) - 1


Strategy = Annotated[Rolling | BlueGreen | Canary | Linear, Field(discriminator="type")]
