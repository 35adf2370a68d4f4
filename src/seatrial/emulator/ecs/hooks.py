"""Lifecycle hooks: what runs at a stage, what a Lambda function is told and may answer, when time is up. Pure.

Rules: "Lambda hooks for Amazon ECS service deployments" and "Pause hooks for Amazon ECS service deployments" in the
developer guide; texts: "Troubleshooting Amazon ECS blue/green deployments".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from seatrial.emulator.ecs.lifecycle import HookState, Stage

HookStatus = Literal["AWAITING_ACTION", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT"]

#: AWS's seconds until a function that answered IN_PROGRESS is called again, where it names no ``callBackDelay``.
CALL_BACK_SECONDS = 30.0


@dataclass(eq=False)
class HookRun:
    """One hook at one visit of a stage.

    ``expires`` and ``due`` (the next call of the function) are moments of the monotonic clock, ``expires_at`` is what
    the API shows. ``asked`` while the function runs. ``proceeds`` once it is over: whether the deployment goes on.
    """

    id: str
    stage: Stage
    target: str | None
    details: Any
    expires: float
    expires_at: datetime
    timeout_action: str
    status: HookStatus
    due: float = 0.0
    asked: bool = False
    proceeds: bool | None = None
    reason: str = ""

    @property
    def pauses(self) -> bool:
        """Whether it is a PAUSE hook."""
        return self.target is None

    def end(self, status: HookStatus, *, proceeds: bool, reason: str = "") -> None:
        """Close it; what comes later is ignored."""
        if self.proceeds is None:
            self.status, self.proceeds, self.reason = status, proceeds, reason


@dataclass(frozen=True)
class Answer:
    """What a function answered. ``delay`` is in AWS's seconds; ``problem`` says why it is no answer."""

    status: str | None = None
    delay: float = CALL_BACK_SECONDS
    details: Any = None
    problem: str = ""


def state_of(runs: Iterable[HookRun]) -> tuple[HookState, str]:
    """Return how the hooks of a stage stand together, and why they failed."""
    known = list(runs)
    for run in known:
        if run.proceeds is False:
            return "failed", run.reason
    return ("succeeded" if all(run.proceeds for run in known) else "waiting"), ""


def expire(run: HookRun, now: float) -> None:
    """Take the timeout action when its time is up."""
    if run.proceeds is not None or now < run.expires:
        return
    because = f"Service deployment rolled back because {run.stage}"
    if run.pauses:
        reason = f"{because} pause hook timed out."
    else:
        reason = f"{because} lifecycle hook(s) failed. Lifecycle hook target {run.target} timed out."
    run.end("TIMED_OUT", proceeds=run.timeout_action == "CONTINUE", reason=reason)


def read_answer(payload: bytes) -> Answer:
    """Read what a function returned, be it an answer or an error."""
    try:
        answer = json.loads(payload)
    except ValueError:
        return Answer(problem="the response is not JSON")
    status = answer.get("hookStatus") if isinstance(answer, dict) else None
    if status is None:
        return Answer(problem="HookStatus must not be null")
    if status not in {"SUCCEEDED", "FAILED", "IN_PROGRESS"}:
        return Answer(problem=f"{status} is not a HookStatus")
    delay = answer.get("callBackDelay")
    seconds = float(delay) if isinstance(delay, int | float) and delay >= 0 else CALL_BACK_SECONDS
    return Answer(status, seconds, answer.get("hookDetails"))


def take(run: HookRun, answer: Answer, *, next_call: float) -> None:
    """Take note of a function's answer; ``next_call`` is when it would be called again."""
    because = f"Service deployment rolled back because {run.stage} lifecycle hook(s) failed."
    run.asked = False
    if answer.problem:
        text = f"{because} ECS was unable to parse the response from {run.target} due to: {answer.problem}."
        run.end("FAILED", proceeds=False, reason=text)
    elif answer.status == "FAILED":
        text = f"{because} Lifecycle hook target {run.target} returned FAILED status."
        run.end("FAILED", proceeds=False, reason=text)
    elif answer.status == "SUCCEEDED":
        run.end("SUCCEEDED", proceeds=True)
    else:
        run.due = next_call
        run.details = run.details if answer.details is None else answer.details


def unreachable(run: HookRun, why: str) -> None:
    """Take note of a function that could not be called."""
    run.asked = False
    run.end(
        "FAILED",
        proceeds=False,
        reason=f"Service deployment rolled back because {run.stage} lifecycle hook(s) failed. ECS was unable to invoke "
        f"hook target {run.target} due to {why}",
    )


def event(
    run: HookRun,
    *,
    deployment: str,
    service: str,
    target: str,
    production: Mapping[str, float],
    test: Mapping[str, float],
) -> dict[str, Any]:
    """Return what a function is told: ARNs, and the weights of the traffic that moves at this stage."""
    moving = {
        "RECONCILE_SERVICE": (production, test),
        "TEST_TRAFFIC_SHIFT": ({}, test),
        "PRODUCTION_TRAFFIC_SHIFT": (production, {}),
    }
    shown_production, shown_test = moving.get(run.stage, ({}, {}))
    told: dict[str, Any] = {
        "executionId": run.id,
        "lifecycleStage": run.stage,
        "resourceArn": deployment,
        "executionDetails": {
            "serviceArn": service,
            "targetServiceRevisionArn": target,
            "testTrafficWeights": _whole(shown_test),
            "productionTrafficWeights": _whole(shown_production),
        },
    }
    return told if run.details is None else {**told, "hookDetails": run.details}


def _whole(weights: Mapping[str, float]) -> dict[str, float]:
    return {arn: int(weight) if weight == int(weight) else weight for arn, weight in weights.items()}
