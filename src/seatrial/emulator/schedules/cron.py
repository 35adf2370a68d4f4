"""Cron expressions of EventBridge Scheduler: six fields, and the times they name.

Fields: minutes, hours, day of month, month, day of week (1 or SUN to 7 or SAT), year. Rules from "Cron-based schedules"
of the EventBridge Scheduler user guide (docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html).
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH_NAMES = {name: number for number, name in enumerate(_MONTHS, 1)}
_DAY_NAMES = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
FIRST_YEAR, LAST_YEAR = 1970, 2199
_SATURDAY = 7


@dataclass(frozen=True)
class Days:
    """Which days of a month: plain numbers, the last one, weekdays near a number; or days of the week.

    ``in_week`` counts from 1 for Sunday. ``last_in_week`` is the last such day of the month, ``nth_in_week`` a day of
    the week and which one of the month. Everything empty and ``any`` false never happens: the parser refuses it.
    """

    any: bool = False
    of_month: frozenset[int] = frozenset()
    last: bool = False
    nearest_weekday: frozenset[int] = frozenset()
    in_week: frozenset[int] = frozenset()
    last_in_week: frozenset[int] = frozenset()
    nth_in_week: frozenset[tuple[int, int]] = frozenset()

    def of(self, year: int, month: int) -> list[int]:
        """Return the days of one month, in order."""
        length = calendar.monthrange(year, month)[1]
        return [day for day in range(1, length + 1) if self._has(year, month, day, length)]

    def _has(self, year: int, month: int, day: int, length: int) -> bool:
        week_day = date(year, month, day).isoweekday() % 7 + 1
        return (
            self.any
            or day in self.of_month
            or (self.last and day == length)
            or any(day == _nearest_weekday(year, month, wanted, length) for wanted in self.nearest_weekday)
            or week_day in self.in_week
            or (week_day in self.last_in_week and day > length - 7)
            or (week_day, (day - 1) // 7 + 1) in self.nth_in_week
        )


@dataclass(frozen=True)
class Cron:
    """A parsed expression."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: Days
    months: frozenset[int]
    years: frozenset[int]

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first time after ``moment`` (aware), in UTC; None when there is none any more.

        A local time that the zone skips in spring does not happen; one that it has twice in autumn happens the first
        time only (same page, "Daylight savings time").
        """
        # A day earlier: the second of two equal local hours comes after times that read later.
        first = (moment.astimezone(zone) - timedelta(days=1)).date()
        for day in self._days(first):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = _in_utc(datetime.combine(day, time(hour, minute)), zone)
                    if found is not None and found > moment:
                        return found
        return None

    def names(self, local: datetime) -> bool:
        """Whether the expression names this local minute."""
        return (
            local.minute in self.minutes
            and local.hour in self.hours
            and local.month in self.months
            and local.year in self.years
            and local.day in self.days.of(local.year, local.month)
        )

    def _days(self, first: date) -> Iterator[date]:
        for year in sorted(each for each in self.years if each >= first.year):
            for month in sorted(self.months):
                if (year, month) < (first.year, first.month):
                    continue
                yield from (day for each in self.days.of(year, month) if (day := date(year, month, each)) >= first)


def parse(text: str) -> Cron:
    """Return the expression of six fields, without ``cron(...)`` around. Raises ``ValueError`` saying which is bad."""
    fields = text.upper().split()
    if len(fields) != 6:
        raise ValueError(f"cron has six fields, not {len(fields)}")
    minutes, hours, of_month, months, in_week, years = fields
    return Cron(
        minutes=_numbers("minutes", minutes, 0, 59),
        hours=_numbers("hours", hours, 0, 23),
        days=_days(of_month, in_week),
        months=_numbers("month", months, 1, 12, _MONTH_NAMES),
        years=_numbers("year", years, FIRST_YEAR, LAST_YEAR),
    )


def _days(of_month: str, in_week: str) -> Days:
    if "?" in (of_month, in_week):
        if of_month == in_week:
            raise ValueError("only one of day-of-month and day-of-week can be ?")
        return _days_of_month(of_month) if in_week == "?" else _days_of_week(in_week)
    raise ValueError("one of day-of-month and day-of-week must be ?")


def _days_of_month(field: str) -> Days:
    if field == "*":
        return Days(any=True)
    plain: list[str] = []
    weekdays: set[int] = set()
    last = False
    for part in field.split(","):
        if part == "L":
            last = True
        elif near := re.fullmatch(r"(\d{1,2})W", part):
            weekdays |= _numbers("day-of-month", near[1], 1, 31)
        else:
            plain.append(part)
    numbers = _numbers("day-of-month", ",".join(plain), 1, 31) if plain else frozenset()
    return Days(of_month=numbers, last=last, nearest_weekday=frozenset(weekdays))


def _days_of_week(field: str) -> Days:
    if field == "*":
        return Days(any=True)
    if "#" in field:
        day, _, number = field.partition("#")
        if not re.fullmatch("[1-5]", number):
            raise ValueError(f"day-of-week {field}: after # comes a number from 1 to 5, and nothing else")
        return Days(nth_in_week=frozenset({(_number("day-of-week", day, 1, 7, _DAY_NAMES), int(number))}))
    plain: list[str] = []
    last: set[int] = set()
    for part in field.split(","):
        if part == "L":
            plain.append(str(_SATURDAY))
        elif len(part) > 1 and part.endswith("L"):
            last.add(_number("day-of-week", part[:-1], 1, 7, _DAY_NAMES))
        else:
            plain.append(part)
    numbers = _numbers("day-of-week", ",".join(plain), 1, 7, _DAY_NAMES) if plain else frozenset()
    return Days(in_week=numbers, last_in_week=frozenset(last))


def _numbers(name: str, field: str, low: int, high: int, words: dict[str, int] | None = None) -> frozenset[int]:
    """Read ``*``, lists, ranges and steps."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        if slash and not (step_text.isdecimal() and int(step_text) > 0):
            raise ValueError(f"{name} {part}: after / comes a number above 0")
        step = int(step_text) if slash else 1
        if span == "*":
            first, last = low, high
        elif "-" in span:
            start, _, end = span.partition("-")
            first, last = _number(name, start, low, high, words), _number(name, end, low, high, words)
        else:
            first = _number(name, span, low, high, words)
            last = high if slash else first
        if first <= last:
            found.update(range(first, last + 1, step))
        else:  # FRI-MON, 22-2: over the end and on from the beginning
            found.update([*range(first, high + 1), *range(low, last + 1)][::step])
    return frozenset(found)


def _number(name: str, text: str, low: int, high: int, words: dict[str, int] | None = None) -> int:
    number = (words or {}).get(text, int(text) if text.isascii() and text.isdecimal() else None)
    if number is None or not low <= number <= high:
        raise ValueError(f"{name} {text or 'is empty'}: expected {low} to {high}")
    return number


def _nearest_weekday(year: int, month: int, day: int, length: int) -> int | None:
    """Return the weekday nearest to ``day`` within its month, None where the month has no such day."""
    if day > length:
        return None
    match date(year, month, day).isoweekday():
        case 6:
            return day - 1 if day > 1 else day + 2
        case 7:
            return day + 1 if day < length else day - 2
        case _:
            return day


def _in_utc(local: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when it is ``local`` in the zone for the first time, None where the zone skips that time."""
    found = local.replace(tzinfo=zone).astimezone(UTC)
    return found if found.astimezone(zone).replace(tzinfo=None) == local else None
