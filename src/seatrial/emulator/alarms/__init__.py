"""CloudWatch alarms that go off.

moto keeps metrics and alarms and evaluates nothing. ``evaluation`` says what an alarm's state is (pure); here it is
applied to moto's alarms whenever someone asks: ECS during a deployment, and DescribeAlarms. A period is scaled as all
other waits are. An alarm whose metric has had no data keeps the state that SetAlarmState gave it; so do composite
alarms and those over metric math or percentiles.

Names of moto used: ``cloudwatch_backends``, ``CloudWatchBackend.alarms``, ``CloudWatchBackend.metric_data``,
``Alarm.update_state``, ``MetricDatum``, ``MetricAggregatedDatum`` and ``CloudWatchResponse.describe_alarms``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.alarms.evaluation import OPERATORS, AlarmRule, Sample, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.settings import EmulatorSettings

#: Least seconds of a period here: whoever puts metrics has to get around to it.
LEAST_PERIOD = 1.0
_STATISTICS = frozenset({"Average", "Sum", "Minimum", "Maximum", "SampleCount"})


def install(settings: EmulatorSettings, clock: Clock) -> None:
    """Have DescribeAlarms evaluate before it answers."""
    from moto.cloudwatch.models import cloudwatch_backends
    from moto.cloudwatch.responses import CloudWatchResponse

    from seatrial.emulator.front.actions import wrap

    def describe(_parameters: Any, own: Callable[[], Any]) -> Any:
        evaluate(cloudwatch_backends[settings.account][settings.region], clock)
        return own()

    wrap(CloudWatchResponse, {"describe_alarms": describe})


def evaluate(backend: Any, clock: Clock) -> None:
    """Bring the state of every alarm that can be evaluated up to date."""
    now = clock.now()
    for alarm in list(backend.alarms.values()):
        rule = _rule(alarm, clock)
        data = [each for each in list(backend.metric_data) if _belongs(each, alarm)] if rule else []
        if rule is None or not data:
            continue
        new = state_of(rule, [_sample(each, now) for each in data], 0.0)
        if new is not None and new != getattr(alarm, "seatrial_state", None):
            # What SetAlarmState set stays until the metric itself says something new.
            alarm.seatrial_state = new
            alarm.update_state(_reason(alarm, new), "{}", new)


def _rule(alarm: Any, clock: Clock) -> AlarmRule | None:
    if alarm.rule is not None or alarm.statistic not in _STATISTICS or alarm.comparison_operator not in OPERATORS:
        return None
    periods = int(alarm.evaluation_periods or 1)
    return AlarmRule(
        statistic=alarm.statistic,
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        period=clock.scaled(float(alarm.period), at_least=LEAST_PERIOD),
        periods=periods,
        datapoints=int(alarm.datapoints_to_alarm or periods),
        missing=alarm.treat_missing_data or "missing",
    )


def _belongs(datum: Any, alarm: Any) -> bool:
    return (
        (datum.namespace, datum.name) == (alarm.namespace, alarm.metric_name)
        and _named(datum.dimensions) == _named(alarm.dimensions)
        and (not alarm.unit or alarm.unit == datum.unit)
    )


def _named(dimensions: Sequence[Any]) -> set[tuple[str, str]]:
    return {(dimension.name, dimension.value) for dimension in dimensions}


def _sample(datum: Any, now: datetime) -> Sample:
    """Return a datum; its time in seconds from now (negative: past). moto keeps times without a zone, in UTC."""
    at = datum.timestamp if datum.timestamp.tzinfo else datum.timestamp.replace(tzinfo=now.tzinfo)
    seconds = min(0.0, (at - now).total_seconds())
    if hasattr(datum, "value"):
        return Sample(seconds, datum.value, 1.0, datum.value, datum.value)
    return Sample(seconds, datum.sum, datum.sample_count, datum.min, datum.max)


def _reason(alarm: Any, state: str) -> str:
    crossed = {"ALARM": "Threshold Crossed", "OK": "Threshold not crossed"}
    if state in crossed:
        return f"{crossed[state]}: {alarm.statistic} {alarm.comparison_operator} {alarm.threshold}."
    return "Insufficient Data: no datapoints were received."
