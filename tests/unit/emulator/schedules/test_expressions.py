"""Schedule expressions: what they mean, what is refused, and that the next time is the next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.emulator.schedules.cron import Cron
from seatrial.emulator.schedules.cron import parse as cron
from seatrial.emulator.schedules.expressions import At, Rate, parse
from seatrial.emulator.schedules.occurrences import Timing, next_time, within_window

UTC_ZONE, PARIS = ZoneInfo("UTC"), ZoneInfo("Europe/Paris")
START = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("fields", "times"),
    [
        ("0 6 * * ? *", ["2026-01-01T06:00", "2026-01-02T06:00"]),
        ("0/15 * * * ? *", ["2026-01-01T00:15", "2026-01-01T00:30", "2026-01-01T00:45", "2026-01-01T01:00"]),
        ("5,35 14 * * ? *", ["2026-01-01T14:05", "2026-01-01T14:35", "2026-01-02T14:05"]),
        ("0 8 1 * ? *", ["2026-01-01T08:00", "2026-02-01T08:00"]),
        ("0 18 ? * MON-FRI *", ["2026-01-01T18:00", "2026-01-02T18:00", "2026-01-05T18:00"]),
        ("0 18 ? * 2-6 *", ["2026-01-01T18:00", "2026-01-02T18:00", "2026-01-05T18:00"]),
        ("0 0 ? * FRI-MON *", ["2026-01-02T00:00", "2026-01-03T00:00", "2026-01-04T00:00", "2026-01-05T00:00"]),
        ("0 9 L * ? *", ["2026-01-31T09:00", "2026-02-28T09:00"]),
        ("0 9 ? * L *", ["2026-01-03T09:00", "2026-01-10T09:00"]),
        ("0 9 ? * 5L *", ["2026-01-29T09:00", "2026-02-26T09:00"]),
        ("0 9 ? * FRIL *", ["2026-01-30T09:00", "2026-02-27T09:00"]),
        ("0 9 3W * ? *", ["2026-01-02T09:00", "2026-02-03T09:00"]),
        ("0 9 1W 2,8 ? *", ["2026-02-02T09:00", "2026-08-03T09:00"]),  # a Sunday and a Saturday
        ("0 9 31W 1-5 ? *", ["2026-01-30T09:00", "2026-03-31T09:00", "2026-05-29T09:00"]),
        ("0 9 ? * 3#2 *", ["2026-01-13T09:00", "2026-02-10T09:00"]),
        ("0 9 ? * MON#5 *", ["2026-03-30T09:00", "2026-06-29T09:00"]),
        ("0 0 29 2 ? *", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("0 0 1 jan ? 2027-2028", ["2027-01-01T00:00", "2028-01-01T00:00", None]),
        ("30 22-2/2 1 1 ? 2026", ["2026-01-01T00:30", "2026-01-01T02:30", "2026-01-01T22:30", None]),
        ("0 0 30 2 ? *", [None]),
    ],
    ids=str,
)
def test_cron(fields: str, times: list[str | None]) -> None:
    after: datetime | None = START
    for expected in times:
        assert after is not None
        after = cron(fields).after(after, UTC_ZONE)
        assert after == (None if expected is None else datetime.fromisoformat(expected).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("daily", r"expected rate\(...\), cron\(...\) or at"),
        ("rate(0 minutes)", "N at least 1"),
        ("rate(30 seconds)", "minutes, hours or days"),
        ("at(2026-01-01)", "yyyy-mm-ddThh:mm:ss"),
        ("at(2026-13-01T00:00:00)", "month"),
        ("cron(0 6 * * ?)", "six fields, not 5"),
        ("cron(0 6 * * * *)", "must be ?"),
        ("cron(0 6 ? * ? *)", "only one"),
        ("cron(60 6 * * ? *)", "minutes 60: expected 0 to 59"),
        ("cron(0 24 * * ? *)", "hours 24"),
        ("cron(0 0 0 * ? *)", "day-of-month 0"),
        ("cron(0 0 ? * 8 *)", "day-of-week 8"),
        ("cron(0 0 ? * MON#6 *)", "1 to 5"),
        ("cron(0 0 ? * MON#1,TUE#2 *)", "nothing else"),
        ("cron(0 0 1 FOO ? *)", "month FOO"),
        ("cron(0 0 1 * ? 1969)", "year 1969"),
        ("cron(0/0 0 1 * ? *)", "above 0"),
        ("cron(, 0 1 * ? *)", "is empty"),
    ],
    ids=str,
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)


def test_rates_and_single_times() -> None:
    assert parse("rate(1 minute)") == Rate(timedelta(minutes=1))
    assert parse("rate(12 hours)") == Rate(timedelta(hours=12))
    assert parse("at(2026-07-01T12:00:00)") == At(datetime.fromisoformat("2026-07-01T12:00:00"))
    once = Timing(parse("at(2026-07-01T12:00:00)"), PARIS, START, start=START + timedelta(days=400))
    assert next_time(once, START) == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert next_time(once, datetime(2026, 7, 1, 10, tzinfo=UTC)) is None


def test_a_rate_begins_at_once_or_at_its_start_date() -> None:
    before = START - timedelta(microseconds=1)
    timing = Timing(parse("rate(5 minutes)"), UTC_ZONE, START)
    assert next_time(timing, before) == START
    assert next_time(timing, START) == START + timedelta(minutes=5)
    assert next_time(timing, START, timedelta(seconds=3)) == START + timedelta(seconds=3)
    first = START + timedelta(hours=1)
    later = Timing(timing.expression, UTC_ZONE, START, start=first, end=first + timedelta(minutes=6))
    assert next_time(later, START) == first
    assert next_time(later, first) == first + timedelta(minutes=5)
    assert next_time(later, first + timedelta(minutes=5)) is None


def test_start_and_end_bound_cron() -> None:
    timing = Timing(
        parse("cron(0 6 * * ? *)"), UTC_ZONE, START, START + timedelta(days=1, hours=6), START + timedelta(days=2.5)
    )
    found, times = next_time(timing, START), []
    while found is not None:
        times.append(found)
        found = next_time(timing, found)
    assert [each.day for each in times] == [2, 3]


def test_a_local_time_that_spring_skips_does_not_happen_and_one_that_autumn_repeats_happens_once() -> None:
    nightly = cron("30 2 * 3,10 ? 2026")
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert nightly.after(spring, PARIS) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    first = nightly.after(autumn, PARIS)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert nightly.after(first, PARIS) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    one = st.integers(low, high)
    return st.one_of(
        st.just("*"),
        st.lists(one, min_size=1, max_size=3).map(lambda found: ",".join(map(str, found))),
        st.tuples(one, one).map(lambda found: f"{found[0]}-{found[1]}"),
        st.tuples(one, st.integers(1, high)).map(lambda found: f"{found[0]}/{found[1]}"),
    )


days = st.one_of(
    st.tuples(st.one_of(numbers(1, 31), st.sampled_from(["L", "15W", "1W", "31W"])), st.just("?")),
    st.tuples(st.just("?"), st.one_of(numbers(1, 7), st.sampled_from(["L", "5L", "3#2", "MON#5", "SUN,WED"]))),
)
expressions = st.builds(
    lambda minutes, hours, day, months: f"{minutes} {hours} {day[0]} {months} {day[1]} *",
    numbers(0, 59), numbers(0, 23), days, numbers(1, 12),
)  # fmt: skip
moments = st.integers(0, 15 * 365 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))


@settings(deadline=None)
@given(expressions, moments, st.sampled_from([UTC_ZONE, PARIS, ZoneInfo("America/New_York")]))
def test_the_next_time_is_after_named_and_the_first(fields: str, moment: datetime, zone: ZoneInfo) -> None:
    expression = cron(fields)
    found = expression.after(moment, zone)
    if found is None:
        return
    assert found > moment
    assert expression.names(found.astimezone(zone).replace(tzinfo=None))
    minute = moment.replace(second=0, microsecond=0)
    between = (minute + timedelta(minutes=each) for each in range(1, 24 * 60))
    assert not any(named(expression, each.astimezone(zone)) for each in between if each < found)


def named(expression: Cron, local: datetime) -> bool:
    return not local.fold and expression.names(local.replace(tzinfo=None))


@settings(deadline=None)
@given(st.integers(1, 10_000), st.lists(st.integers(0, 10_000_000), min_size=2, unique=True))
def test_a_rate_is_a_grid(every: int, seconds: list[int]) -> None:
    timing = Timing(Rate(timedelta(seconds=every)), UTC_ZONE, START)
    found = [next_time(timing, START + timedelta(seconds=each)) for each in sorted(seconds)]
    for after, moment in zip(sorted(seconds), found, strict=True):
        assert moment is not None
        offset = (moment - START).total_seconds()
        assert offset % every == 0
        assert after < offset <= after + every
    assert all(one is not None and other is not None and one <= other for one, other in pairwise(found))


@settings(deadline=None)
@given(moments, st.integers(0, 1440), st.text(min_size=1, max_size=8))
def test_a_flexible_window_is_kept(moment: datetime, minutes: int, name: str) -> None:
    window = timedelta(minutes=minutes)
    found = within_window(moment, window, name)
    assert moment <= found <= moment + window
    assert found == within_window(moment, window, name)
