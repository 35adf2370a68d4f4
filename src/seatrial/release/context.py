"""What every part of a release works with: the typed clients, where events go, time, and the person's choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.codedeploy import CodeDeploy
from seatrial.aws.ecs import Ecs
from seatrial.aws.elbv2 import Elbv2
from seatrial.aws.logs import Logs
from seatrial.aws.ssm import Ssm

if TYPE_CHECKING:
    from seatrial.aws.clock import Clock
    from seatrial.aws.session import Aws
    from seatrial.release.interrupt import Interrupt
    from seatrial.release.watch import Emit


@dataclass(frozen=True)
class Context:
    """The seams of one release. ``pace`` is the pause between two looks at AWS, in seconds."""

    ecs: Ecs
    codedeploy: CodeDeploy
    elbv2: Elbv2
    logs: Logs
    ssm: Ssm
    emit: Emit
    clock: Clock
    interrupt: Interrupt
    pace: float

    @classmethod
    def of(cls, aws: Aws, cluster: str, *, emit: Emit, clock: Clock, interrupt: Interrupt) -> Context:
        """Return the context of a release to a cluster."""
        return cls(
            Ecs(aws, cluster), CodeDeploy(aws), Elbv2(aws), Logs(aws), Ssm(aws), emit, clock, interrupt, aws.pace
        )
