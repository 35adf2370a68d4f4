"""Samples, tasks and releases for timelines: ten seconds of load, in which v2 takes over from v1."""

from __future__ import annotations

from dataclasses import replace

from seatrial.rehearsal.load import Sample
from seatrial.rehearsal.timeline import Check, ReleaseSpan, Share, StageSpan, StepSpan, TaskSpan

ZERO = 1000.0
OLD, NEW = "10.0.0.1:8000", "10.0.0.2:8000"


def sample(at: float, target: str | None = OLD, status: int | None = 200, error: str | None = None) -> Sample:
    return Sample(ZERO + at, 4.0, status, error, target, "keep-alive", "/", False)


def task(unit: str, version: str, address: str | None, **times: float) -> TaskSpan:
    at = {key: ZERO + value for key, value in times.items()}
    return TaskSpan(
        "f" * 32, unit, version, address, at["created"], at.get("running"), at.get("stopping"), at.get("stopped")
    )


TASKS = (
    task("web", "v1", OLD, created=-5, running=-4, stopping=5, stopped=6),
    task("web", "v2", NEW, created=2, running=3),
)
RELEASE = ReleaseSpan(
    "v2 over v1", "v2", ZERO + 1, ZERO + 7, "released", "released", (StepSpan("web", ZERO + 1, ZERO + 7),)
)
SHIFTED = replace(
    RELEASE,
    stages=(
        StageSpan("web", "SCALE_UP", ZERO + 1, ZERO + 2),
        StageSpan("web", "PRODUCTION_TRAFFIC_SHIFT", ZERO + 2, ZERO + 4),
        StageSpan("web", "BAKE_TIME", ZERO + 4, ZERO + 6.5),
        StageSpan("web", "CLEAN_UP", ZERO + 6.5, ZERO + 7),
    ),
    shares=(Share("web", ZERO + 1, 0.0), Share("web", ZERO + 2, 20.0), Share("web", ZERO + 4, 100.0)),
    checks=(Check("home", ZERO + 1.8, True, "<GET /> answered 200"), Check("api", ZERO + 1.9, False, "404")),
)
SAMPLES = tuple(sample(i / 10, OLD if i < 50 else NEW) for i in range(100))
