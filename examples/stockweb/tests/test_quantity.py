"""Quantities as people write them: a table of cases, and what holds for every text and every number."""

import re
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from parts.models import AttributeDefinition
from parts.quantity import Quantity, QuantityError, Wish, number, span, wish, write
from parts.units import POWERS, UNITS

NUMBERS = [
    ("10k", "ohm", 1e4),
    ("10K", "ohm", 1e4),
    ("220R", "ohm", 220),
    ("4R7", "ohm", 4.7),
    ("4k7", "ohm", 4700),
    ("4k7Ω", "ohm", 4700),
    ("4k7 ohm", "ohm", 4700),
    ("R47", "ohm", 0.47),
    ("0R", "ohm", 0),
    ("k47", "ohm", 470),
    ("1M", "ohm", 1e6),
    ("1m", "ohm", 1e-3),  # a shunt
    ("1meg", "ohm", 1e6),
    ("4Meg7", "ohm", 4.7e6),
    ("4.7 k\u2126", "ohm", 4700),  # the ohm sign
    ("4.7 kΩ", "ohm", 4700),  # the Greek letter
    ("47", "ohm", 47),
    ("4e7", "ohm", 4e7),
    ("4u7", "F", 4.7e-6),
    ("2n2", "F", 2.2e-9),
    ("u47", "F", 0.47e-6),
    ("4u7F", "F", 4.7e-6),
    ("4.7uF", "F", 4.7e-6),
    ("4,7uF", "F", 4.7e-6),
    ("4.7\u00b5F", "F", 4.7e-6),  # the micro sign
    ("4.7\u03bcF", "F", 4.7e-6),  # the Greek letter
    ("4.7\u00a0µF", "F", 4.7e-6),  # a space that does not break
    ("0,125uF", "F", 0.125e-6),  # no thousands begin with zero
    ("100nf", "F", 1e-7),
    ("10fF", "F", 1e-14),
    ("4.7e-6", "F", 4.7e-6),
    ("0", "F", 0),
    ("2u2H", "H", 2.2e-6),
    ("3V3", "V", 3.3),
    ("-5V", "V", -5),
    ("\u22125V", "V", -5),  # the minus sign
    ("200mA", "A", 0.2),
    ("1/4W", "W", 0.25),
    ("1/4", "W", 0.25),
    ("¼ W", "W", 0.25),
    ("1M", "Hz", 1e6),
    ("32.768kHz", "Hz", 32768),
    ("133 MHz", "Hz", 133e6),
    ("10000 h", "s", 3.6e7),
    ("10ms", "s", 0.01),
    ("5m", "m", 5),
    ("5mm", "m", 0.005),
    ("2.54mm", "m", 0.00254),
    ("0.1in", "m", 0.00254),
    ("100mil", "m", 0.00254),
    ("±1%", "%", 1),
    ("±1 %", "%", 1),
    ("+-1 %", "%", 1),
    ("+/-1%", "%", 1),
    ("1", "%", 1),
    ("85 °C", "degC", 85),
    ("-40℃", "degC", -40),
    ("32kB", "B", 32000),
    ("32KiB", "B", 32768),
    ("40", "count", 40),
    ("1.5", "", 1.5),
]

REFUSED = [
    ("1m", "Hz", "write it as in"),  # a slip for 1M
    ("1M", "F", "write it as in"),
    ("10r", "V", "write it as in"),
    ("C0805", "F", "write it as in"),
    ("0805", "ohm", "looks like a size"),
    ("47", "F", "of what?"),
    ("104", "F", "of what?"),  # 100 nF, says who solders; 104 F, says who reads
    ("10f", "F", "may be a prefix or the unit"),
    ("4f7", "F", "may be a prefix or the unit"),
    ("1,000", "ohm", "may be thousands"),
    ("4,700uF", "F", "may be thousands"),
    ("1.000,5", "ohm", "write it as in"),
    ("1,000.5", "ohm", "write it as in"),
    ("4E7", "ohm", "may be 4R7"),
    ("1e3k", "ohm", "an exponent and a prefix"),
    ("32K", "B", "write it as in"),  # 32000 or 32768
    ("300K", "degC", "write it as in"),
    ("10²", "ohm", "write it as in"),
    ("1¼", "W", "write it as in"),
    ("1 1/4", "W", "write it as in"),
    ("1/0", "W", "write it as in"),
    ("١", "ohm", "write it as in"),  # a digit of another script
    ("10 k 5", "ohm", "write it as in"),
    ("4k7k", "ohm", "write it as in"),
    ("3V3V", "V", "write it as in"),
    ("-5", "ohm", "below zero"),
    ("2.5", "count", "no whole number"),
    ("1e99", "ohm", "too small or too large"),
    ("1e-99", "ohm", "too small or too large"),
    ("1e-400", "ohm", "write it as in"),
    ("±5%", "ohm", "write it as in"),  # a tolerance of nothing
    ("4k7 ±200%", "ohm", "says nothing"),
    ("", "ohm", "nothing is written"),
    ("1\n2", "ohm", "one line"),
    ("1" * 81, "ohm", "at most 80"),
]


@pytest.mark.parametrize(("text", "unit", "expected"), NUMBERS)
def test_numbers(text: str, unit: str, expected: float) -> None:
    assert number(text, unit) == Quantity(expected, expected)


@pytest.mark.parametrize(("text", "unit", "message"), REFUSED)
def test_what_is_no_number_or_may_be_two_is_refused(text: str, unit: str, message: str) -> None:
    with pytest.raises(QuantityError, match=message.replace("?", r"\?")):
        number(text, unit)


@pytest.mark.parametrize("written", ["4k7 ±5%", "4k7±5%", "4k7 +/-5 %", "4,7k +-5%", "4k7 5%", "4.7 kΩ ± 5 %"])
def test_the_tolerance_is_kept_apart(written: str) -> None:
    assert number(written, "ohm") == Quantity(4700, 4700, 5)


@pytest.mark.parametrize(
    ("text", "unit", "low", "high"),
    [
        ("4.5-28V", "V", 4.5, 28),
        ("4.5V-28V", "V", 4.5, 28),
        ("4,5..28 V", "V", 4.5, 28),
        ("4.5...28 V", "V", 4.5, 28),
        ("4.5…28 V", "V", 4.5, 28),
        ("4.5 to 28 V", "V", 4.5, 28),
        ("4.5to28V", "V", 4.5, 28),
        ("4.5~28V", "V", 4.5, 28),
        ("4.5–28V", "V", 4.5, 28),
        ("4.5 - 28 V", "V", 4.5, 28),
        ("-40~125 °C", "degC", -40, 125),
        ("-40-85", "degC", -40, 85),
        ("-40--10 °C", "degC", -40, -10),
        ("\u221240 to +85 °C", "degC", -40, 85),
        ("–40 to –10 °C", "degC", -40, -10),
        ("±15V", "V", -15, 15),
        ("10mV-1V", "V", 0.01, 1),
        ("1k-10k", "ohm", 1e3, 1e4),
        ("0-10k", "ohm", 0, 1e4),
        ("1e-3-5e-3", "V", 1e-3, 5e-3),
        ("5V", "V", 5, 5),
        ("3V3", "V", 3.3, 3.3),
    ],
)
def test_ranges(text: str, unit: str, low: float, high: float) -> None:
    assert span(text, unit) == Quantity(low, high)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("1-10k", "ohm", "prefix on both sides"),  # from 1 or from 1000
        ("10m-1", "V", "prefix on both sides"),
        ("10-47uF", "F", "prefix on both sides"),
        ("10-47", "F", "of what"),
        ("28-4.5V", "V", "begins above its end"),
        ("2-6-8V", "V", "write it as in"),
        ("-", "V", "write it as in"),
        ("±15k", "ohm", "write it as in"),
    ],
)
def test_ranges_that_are_refused(text: str, unit: str, message: str) -> None:
    with pytest.raises(QuantityError, match=message):
        span(text, unit)


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        (">= 10u", "F", Wish(">=", Quantity(1e-5, 1e-5))),
        ("≥10 µF", "F", Wish(">=", Quantity(1e-5, 1e-5))),
        ("min. 25 V", "V", Wish(">=", Quantity(25, 25))),
        ("<= 5%", "%", Wish("<=", Quantity(5, 5))),
        ("max 5%", "%", Wish("<=", Quantity(5, 5))),
        ("> 1A", "A", Wish(">", Quantity(1, 1))),
        ("< 1A", "A", Wish("<", Quantity(1, 1))),
        ("=4k7", "ohm", Wish("=", Quantity(4700, 4700))),
        ("4u7 ±1%", "F", Wish("", Quantity(4.7e-6, 4.7e-6, 1))),
        ("9-12 V", "V", Wish("", Quantity(9, 12))),
    ],
)
def test_wishes(text: str, unit: str, expected: Wish) -> None:
    assert wish(text, unit) == expected


def test_a_wish_for_at_least_a_range_is_refused() -> None:
    with pytest.raises(QuantityError):
        wish(">= 9-12 V", "V")


@pytest.mark.parametrize(
    ("value", "unit", "digits", "expected"),
    [
        (4700, "ohm", None, "4.7 kΩ"),
        (4.7e-6, "F", None, "4.7 µF"),
        (4.7e-6 * 3, "F", 3, "14.1 µF"),
        (999.96, "ohm", 3, "1 kΩ"),
        (32768, "B", None, "32 KiB"),
        (32000, "B", None, "32 kB"),
        (0, "V", None, "0 V"),
        (-0.0, "V", None, "0 V"),
        (0.01, "m", None, "10 mm"),
        (0.01, "s", None, "10 ms"),
        (3599, "s", None, "3599 s"),
        (3600, "s", None, "1 h"),
        (5400, "s", None, "1.5 h"),
        (-7200, "s", None, "-2 h"),
        (3601, "s", None, "3601 s"),  # no hours in decimals are just that
        (3.6e7, "s", None, "10000 h"),
        (-3.6e9, "s", None, "-1e6 h"),
        (3.6123e7, "s", 2, "10000 h"),
        (1500, "degC", None, "1500 °C"),
        (40, "count", None, "40"),
        (1e-9, "%", None, "1e-9 %"),
    ],
)
def test_engineering_notation(value: float, unit: str, digits: int | None, expected: str) -> None:
    assert write(float(value), unit, digits) == expected


def test_every_unit_of_a_definition_is_known() -> None:
    assert set(UNITS) == set(AttributeDefinition.Unit.values)


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_the_example_of_every_unit_can_be_read(unit: str) -> None:
    assert number(UNITS[unit].example, unit).low > 0


# What holds for all ------------------------------------------------------------------------------------------------

units = st.sampled_from(sorted(UNITS))
magnitudes = st.one_of(st.just(0.0), st.floats(min_value=1e-30, max_value=1e30))
hours = st.decimals(min_value=1, max_value=10**8, places=3).map(lambda each: float(each * 3600))


@st.composite
def values(draw: st.DrawFn) -> tuple[float, str]:
    """A number that the unit can have."""
    unit = draw(units)
    magnitude = magnitudes | hours if unit == "s" else magnitudes
    value = draw(st.integers(0, 10**15).map(float) if UNITS[unit].whole else magnitude)
    return (-value if UNITS[unit].signed and draw(st.booleans()) else value), unit


@given(values())
def test_what_is_written_is_read_as_the_same_number(case: tuple[float, str]) -> None:
    value, unit = case
    assert number(write(value, unit), unit) == Quantity(value, value)


@given(values(), values(), st.sampled_from(["..", "~", " to ", "–", " - ", "…"]))
def test_what_is_written_is_read_as_the_same_range(
    one: tuple[float, str], other: tuple[float, str], separator: str
) -> None:
    unit = one[1]
    low, high = sorted((abs(one[0]), abs(other[0])))
    if UNITS[unit].whole:
        low, high = float(int(low)), float(int(high))
    assume(UNITS[unit].symbol)  # a prefix on one side only is refused where no unit stands on the other
    assert span(f"{write(low, unit)}{separator}{write(high, unit)}", unit) == Quantity(low, high)


@given(
    digits=st.decimals(min_value=0, max_value=999, places=3),
    unit=units,
    spell=st.sampled_from(["{} {}{}", "{}{}{}"]),
    comma=st.booleans(),
    data=st.data(),
)
def test_never_off_by_a_power_of_ten(digits: Decimal, unit: str, spell: str, comma: bool, data: st.DataObject) -> None:
    known = UNITS[unit]
    prefix = data.draw(st.sampled_from(["", *known.prefixes]))
    mantissa = f"{digits.normalize():f}"
    text = spell.format(mantissa.replace(".", ",") if comma else mantissa, prefix, known.symbol)
    exact = digits.scaleb(POWERS[prefix]) if prefix else digits
    if (known.whole and exact % 1) or re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}.*", text):
        with pytest.raises(QuantityError, match=r"no whole number|may be thousands"):
            number(text, unit)
    else:
        assert number(text, unit) == Quantity(float(exact), float(exact))


@given(
    whole=st.integers(0, 999), rest=st.integers(0, 99), letter=st.sampled_from("RkM"), ohms=st.sampled_from(["", "Ω"])
)
def test_letters_for_the_mark_are_exact(whole: int, rest: int, letter: str, ohms: str) -> None:
    exact = Decimal(f"{whole}.{rest}").scaleb({"R": 0, "k": 3, "M": 6}[letter])
    text = f"{whole}{letter}{rest}{ohms if letter != 'R' else ''}"
    assert number(text, "ohm").low == float(exact)


alphabet = st.sampled_from("0123456789..,,+-−–±/¼²٣eEkKMmuµnpfFRΩVAsh%°C~…to<>= \u00a0\x00\n")


@given(st.one_of(st.text(alphabet, max_size=12), st.text(max_size=90)), units)
@example("9" * 80, "V")
@example("1e99", "B")
@example("1" * 40 + "-" + "1" * 39, "V")
def test_nothing_else_is_ever_raised(text: str, unit: str) -> None:
    for read in (number, span, wish):
        with suppress(QuantityError):
            found = read(text, unit)
            quantity = found.quantity if isinstance(found, Wish) else found
            assert quantity.low <= quantity.high
            assert max(abs(quantity.low), abs(quantity.high)) <= 1e30
