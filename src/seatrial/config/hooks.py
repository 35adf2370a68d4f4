"""``[hooks.NAME]``: Lambda functions that are asked while a service's traffic moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from pydantic import Field, model_validator

from seatrial.config.fields import Misplaced, Model
from seatrial.config.strategies import CodeDeploy, Shifting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.config.models import Task
    from seatrial.config.strategies import BlueGreen, Canary, Linear, Rolling

#: Stages at which ECS asks a function (ECS service model, DeploymentLifecycleHookStage).
EcsStage = Literal[
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
]
#: Events at which CodeDeploy does ("AppSpec 'hooks' section for an Amazon ECS deployment", user guide).
CodeDeployEvent = Literal[
    "BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"
]
Stage = Literal[EcsStage, CodeDeployEvent]
#: Where gate tasks are run by a hook: before any task of the new version starts.
GATED = "BeforeInstall"
#: Seconds that gate tasks may take together in a hook. CodeDeploy waits an hour for a hook, and starting takes some.
LONGEST_GATES = 3300


class Hook(Model):
    """`[hooks.NAME]`: a Lambda function of yours that may stop a release.

    The stages in capitals are those of `blue_green`, `canary` and `linear`, the others CodeDeploy's. Those that an
    environment's strategy does not have are left out there.
    """

    function: str = Field(
        pattern=r"^arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?$", description="ARN of the function"
    )
    stages: tuple[Stage, ...] = Field(description="when it is asked")

    @model_validator(mode="after")
    def _is_asked(self) -> Hook:
        if not self.stages:
            raise Misplaced(("stages",), "names no stage, so it would never be asked")
        return self


def stages(hook: Hook, strategy: Rolling | BlueGreen | Canary | Linear | CodeDeploy) -> tuple[str, ...]:
    """Return the stages of a hook that a strategy has."""
    known: tuple[str, ...] = ()
    if isinstance(strategy, Shifting):
        known = get_args(EcsStage)
    elif isinstance(strategy, CodeDeploy):
        known = get_args(CodeDeployEvent)
    return tuple(each for each in hook.stages if each in known)


def check(hooks: Mapping[str, Hook], tasks: Mapping[str, Task], strategy: CodeDeploy) -> None:
    """Check that CodeDeploy can ask all of them: it takes one function for each event.

    Raises :class:`~seatrial.config.fields.Misplaced`.
    """
    gates = [task for task in tasks.values() if task.gate]
    taken: dict[str, str] = {}
    if strategy.gates == "hook":
        if not gates:
            raise Misplaced(("target", "strategy", "gates"), "there is no task with gate = true that a hook could run")
        if sum(task.timeout for task in gates) > LONGEST_GATES:
            raise Misplaced(
                ("target", "strategy", "gates"),
                f"the gate tasks may take {sum(task.timeout for task in gates)} s together; CodeDeploy waits an hour "
                f"for a hook, so at most {LONGEST_GATES} s",
            )
        taken[GATED] = "the gate tasks"
    for name, hook in hooks.items():
        for stage in stages(hook, strategy):
            if stage in taken:
                raise Misplaced(
                    ("hooks", name, "stages"), f"CodeDeploy asks one function at {stage}, which has {taken[stage]}"
                )
            if stage == "AfterAllowTestTraffic" and strategy.test_port is None:
                raise Misplaced(("hooks", name, "stages"), f"{stage} is there only where strategy.test_port is set")
            taken[stage] = f"hooks.{name}"
