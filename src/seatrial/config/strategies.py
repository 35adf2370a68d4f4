"""``strategy``: how the services of an environment change to a new version, in ECS's terms.

Ranges and defaults are those of ``DeploymentConfiguration`` in the ECS service model and of its CloudFormation schema.
ECS counts bake times in minutes, so they are whole minutes here.
"""

from __future__ import annotations

import ipaddress
import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from seatrial.config.fields import SECONDS, Misplaced, Model

#: The configurations for Amazon ECS that CodeDeploy comes with ("Deployment configurations on an Amazon ECS compute
#: platform", user guide): how traffic moves, percent, and seconds between two shifts.
PREDEFINED: dict[str, tuple[str, int, int]] = {
    "CodeDeployDefault.ECSAllAtOnce": ("all_at_once", 100, 0),
    "CodeDeployDefault.ECSCanary10Percent5Minutes": ("canary", 10, 300),
    "CodeDeployDefault.ECSCanary10Percent15Minutes": ("canary", 10, 900),
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes": ("linear", 10, 60),
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes": ("linear", 10, 180),
}
#: Two days, in seconds: the longest wait, and the longest time from the first shift to the last (CodeDeploy quotas).
_TWO_DAYS = 2880 * 60
#: Alarms of one deployment group (CodeDeploy quotas).
_ALARMS = 10
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
CodeDeployMinutes = Annotated[int, SECONDS, Field(ge=0, le=_TWO_DAYS), AfterValidator(_whole_minutes)]
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


class CodeDeploy(_Strategy):
    """AWS CodeDeploy starts the new version beside the old one and moves traffic to it.

    `breaker` is that of the services which have no traffic: CodeDeploy has none.
    """

    type: Literal["codedeploy"]
    traffic: Literal["all_at_once", "canary", "linear"] = Field(
        default="all_at_once", description="how users' requests move: at once, a part first, or in equal steps"
    )
    percent: int | None = Field(
        default=None, ge=1, le=99, description="the part that moves first, or with each step; 10 unless set"
    )
    interval: CodeDeployMinutes | None = Field(
        default=None, description="time between two shifts; 5 minutes for a canary and 1 for linear unless set"
    )
    configuration: str | None = Field(
        default=None,
        description="one of CodeDeploy's predefined deployment configurations for Amazon ECS, instead of `traffic`, "
        "`percent` and `interval`",
    )
    wait: CodeDeployMinutes = Field(
        default=900, description="so long both versions run after all traffic has moved; going back then takes seconds"
    )
    test_port: Annotated[int, Field(ge=1, le=65535), AfterValidator(_free)] | None = Field(
        default=None, description="port of the load balancer on which the new version is tested first; none without it"
    )
    test_from: tuple[Range, ...] = Field(
        default=(), description="IPv4 ranges that may reach the test port; none is opened unless named here"
    )
    gates: Literal["release", "hook"] = Field(
        default="release",
        description="who runs the gate tasks: seatrial, before any service changes, or a Lambda function of the stack "
        "in CodeDeploy's BeforeInstall, so that releases which others start are gated too",
    )

    @property
    def shift(self) -> tuple[str, int, int]:
        """How traffic moves: its name, percent, and seconds between two shifts."""
        if self.configuration is not None:
            return PREDEFINED[self.configuration]
        if self.traffic == "all_at_once":
            return ("all_at_once", 100, 0)
        interval = self.interval if self.interval is not None else 300 if self.traffic == "canary" else 60
        return (self.traffic, self.percent or 10, interval)

    @property
    def predefined(self) -> str | None:
        """The predefined configuration that moves traffic so, if there is one."""
        return next((name for name, shift in PREDEFINED.items() if shift == self.shift), None)

    @property
    def waits(self) -> int:
        """Seconds that a deployment waits by itself, all shifts and the wait for the old version's end together."""
        return self._shifting + self.wait

    @property
    def _shifting(self) -> int:
        kind, percent, interval = self.shift
        return interval * {"all_at_once": 0, "canary": 1, "linear": math.ceil(100 / percent) - 1}[kind]

    @model_validator(mode="after")
    def _says_one_thing(self) -> CodeDeploy:
        said = [key for key in ("traffic", "percent", "interval") if key in self.model_fields_set]
        if self.configuration is not None:
            if self.configuration not in PREDEFINED:
                raise Misplaced(
                    ("configuration",), f"expected one of {', '.join(PREDEFINED)}, not {self.configuration!r}"
                )
            if said:
                raise Misplaced((said[0],), "goes without `configuration`, which says how traffic moves")
        elif self.traffic == "all_at_once" and len(said) > ("traffic" in said):
            key = next(each for each in said if each != "traffic")
            raise Misplaced((key,), 'goes with traffic = "canary" or "linear"')
        if self.shift[0] != "all_at_once" and not self.shift[2]:
            raise Misplaced(("interval",), "expected at least a minute")
        if self._shifting > _TWO_DAYS:
            raise Misplaced(("interval",), "the last shift would come more than two days after the first")
        if len(self.alarms) > _ALARMS:
            raise Misplaced(("alarms",), f"a deployment group has at most {_ALARMS} alarms, not {len(self.alarms)}")
        if self.test_from and self.test_port is None:
            raise Misplaced(("test_from",), "goes with `test_port`")
        return self


Strategy = Annotated[Rolling | BlueGreen | Canary | Linear | CodeDeploy, Field(discriminator="type")]
