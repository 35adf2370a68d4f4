"""The state of a metric alarm from its datapoints. Pure.

Rules: "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user guide. A
datapoint is the statistic over one period; M of the last N datapoints (``datapoints`` of ``periods``) must breach.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class Sample:
    """What was put at a moment (seconds): a value, or the statistics of several."""

    at: float
    total: float
    count: float
    least: float
    most: float


@dataclass(frozen=True)
class AlarmRule:
    """An alarm. ``period`` is in seconds as they pass here; ``missing`` is TreatMissingData."""

    statistic: str
    comparison: str
    threshold: float
    period: float
    periods: int
    datapoints: int
    missing: str = "missing"


def state_of(rule: AlarmRule, samples: Sequence[Sample], now: float) -> AlarmState | None:
    """Return the alarm's state at ``now``; None where missing data leaves it as it is."""
    points = [
        _point(rule, samples, now - rule.period * (age + 1), now - rule.period * age) for age in range(rule.periods)
    ]
    breaching = sum(point is not None and OPERATORS[rule.comparison](point, rule.threshold) for point in points)
    missing = sum(point is None for point in points)
    if missing == len(points) and rule.missing in {"missing", "ignore"}:
        return "INSUFFICIENT_DATA" if rule.missing == "missing" else None
    if rule.missing == "breaching":
        breaching += missing
    return "ALARM" if breaching >= rule.datapoints else "OK"


def _point(rule: AlarmRule, samples: Sequence[Sample], begin: float, end: float) -> float | None:
    """Return the statistic over the moments after ``begin`` up to ``end``, None where nothing was put."""
    within = [s for s in samples if begin < s.at <= end]
    if not within:
        return None
    total, count = math.fsum(s.total for s in within), math.fsum(s.count for s in within)
    match rule.statistic:
        case "Sum":
            return total
        case "SampleCount":
            return count
        case "Minimum":
            return min(s.least for s in within)
        case "Maximum":
            return max(s.most for s in within)
        case _:
            return total / count if count else 0.0
