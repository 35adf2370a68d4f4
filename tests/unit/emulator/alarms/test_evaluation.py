"""When a metric alarm goes off."""

from __future__ import annotations

import pytest

from seatrial.emulator.alarms.evaluation import AlarmRule, Sample, state_of


def rule(**more: object) -> AlarmRule:
    values: dict[str, object] = {
        "statistic": "Sum", "comparison": "GreaterThanThreshold", "threshold": 5.0, "period": 60.0, "periods": 1,
        "datapoints": 1,
    }  # fmt: skip
    return AlarmRule(**{**values, **more})  # type: ignore[arg-type]  # one table of fields


def put(*values: tuple[float, float]) -> list[Sample]:
    """Samples of (seconds ago, value)."""
    return [Sample(-ago, value, 1.0, value, value) for ago, value in values]


@pytest.mark.parametrize(
    ("settings", "samples", "state"),
    [
        ({}, put((10, 6)), "ALARM"),
        ({}, put((10, 5)), "OK"),
        ({}, put((10, 3), (20, 3)), "ALARM"),
        ({"statistic": "Average"}, put((10, 3), (20, 6)), "OK"),
        ({"statistic": "Maximum"}, put((10, 3), (20, 6)), "ALARM"),
        ({"statistic": "Minimum", "comparison": "LessThanThreshold"}, put((10, 3), (20, 6)), "ALARM"),
        ({"statistic": "SampleCount", "threshold": 1.0}, put((10, 0), (20, 0)), "ALARM"),
        ({"comparison": "GreaterThanOrEqualToThreshold"}, put((10, 5)), "ALARM"),
        ({}, put((61, 9)), "INSUFFICIENT_DATA"),
        ({"missing": "ignore"}, put((61, 9)), None),
        ({"missing": "notBreaching"}, put((61, 9)), "OK"),
        ({"missing": "breaching"}, put((61, 9)), "ALARM"),
        ({"periods": 3, "datapoints": 2}, put((10, 9), (130, 9)), "ALARM"),
        ({"periods": 3, "datapoints": 2}, put((10, 9), (70, 1), (130, 1)), "OK"),
        ({"periods": 3, "datapoints": 3}, put((10, 9), (70, 9)), "OK"),
    ],
)
def test_state(settings: dict[str, object], samples: list[Sample], state: str | None) -> None:
    assert state_of(rule(**settings), samples, 0.0) == state
