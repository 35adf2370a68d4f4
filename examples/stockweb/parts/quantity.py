"""Reading quantities as people write them: ``4k7``, ``220R``, ``4,7uF``, ``±1%``, ``-40~125 °C``, ``>= 10u``.

The unit is that of the attribute, so ``10k`` needs none. Nothing is guessed: what could be read in two ways is refused
with a message that says how to write it. Numbers are exact fractions until the end and are rounded once, so the same
quantity is the same float however it is written. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from parts.units import BINARY, POWERS, UNITS, Unit

MAX_LENGTH = 80
#: Beyond these there is nothing in a drawer, and a double has no fewer digits within.
_SMALLEST, _LARGEST = Fraction(1, 10**30), Fraction(10**30)
#: What is smaller is written with an exponent.
_READABLE = Decimal("0.0001")
#: A unit that is no decimal multiple of the base unit is written where so many parts of it say a number exactly.
_PARTS = 1000

_SIGNS = {"": 1, "+": 1, "-": -1, "\u2013": -1, "\u2014": -1}
_SIGN = "[+\\-\u2013\u2014]?"
_DECIMAL = re.compile(rf"({_SIGN})([0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)(?:([eE])([+-]?[0-9]{{1,2}}))?(?![0-9.,/])(.*)")
_LETTER = re.compile(rf"({_SIGN})([0-9]*)([^0-9\s.,+%-]{{1,3}}?)([0-9]+)(\D*)")
_FRACTION = re.compile(rf"({_SIGN})(?:([0-9]{{1,4}})/([0-9]{{1,4}})|([¼½¾⅛]))(?![0-9.,/])(.*)")
_VULGAR = {"¼": Fraction(1, 4), "½": Fraction(1, 2), "¾": Fraction(3, 4), "⅛": Fraction(1, 8)}
_PLUS_MINUS = r"(?:±|\+/?-)"
_TOLERANCE = re.compile(rf"(.*?[^\s±+/-])(?:\s*{_PLUS_MINUS}\s*|\s+)([0-9]+(?:[.,][0-9]+)?)\s*%")
_BOTH_SIGNS = re.compile(rf"{_PLUS_MINUS}\s*(.+)")
_SEPARATOR = re.compile("\\.\\.\\.|\\.\\.|…|~|\u2013|\u2014|-|\\s+to\\s+|(?<=[0-9])to(?=[0-9+-])")
_COMPARISON = re.compile(r"(>=|=>|≥|<=|=<|≤|>|<|=|min\.?\s|max\.?\s)?\s*(.*)", re.IGNORECASE)
_COMPARISONS = {"=>": ">=", "≥": ">=", "min": ">=", "=<": "<=", "≤": "<=", "max": "<="}
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\t"), " ") | {ord("\u2212"): "-"}


class QuantityError(ValueError):
    """The text is no quantity of the unit, or could be several; the message is for whoever typed it."""


@dataclass(frozen=True)
class Quantity:
    """A number of base units, or a range of them; tolerance in percent; ``united`` says whether the unit is written."""

    low: float
    high: float
    tolerance: float | None = None
    united: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Wish:
    """A quantity and how it is to be compared: ``>=``, ``<=``, ``>``, ``<``, ``=``, or the empty string for unsaid."""

    comparison: str
    quantity: Quantity


@dataclass(frozen=True)
class _Number:
    """What one number says, and whether a prefix or the unit stood with it."""

    value: Fraction
    prefixed: bool
    united: bool


def number(text: str, unit: str) -> Quantity:
    """Read one number with its tolerance, if any. Raises :class:`QuantityError`."""
    text = _clean(text)
    tolerance = None
    if unit == "%":
        if match := _BOTH_SIGNS.fullmatch(text):
            text = match[1]
    elif match := _TOLERANCE.fullmatch(text):
        text, tolerance = match[1], _percent(match[2])
    read = _alone(text, unit)
    return Quantity(float(read.value), float(read.value), tolerance, read.united)


def span(text: str, unit: str) -> Quantity:
    """Read a range; a number alone is one of a single point, ``±15V`` is from −15 V. Raises :class:`QuantityError`."""
    text = _clean(text)
    if match := _BOTH_SIGNS.fullmatch(text):
        if not UNITS[unit].signed:
            raise _not_read(text, UNITS[unit])
        read = _alone(match[1], unit)
        return _ordered(-read.value, read.value, text, united=read.united)
    try:
        read = _alone(text, unit)
    except QuantityError as error:
        halves = list(_halves(text, unit))
        if not halves:
            raise error from None
    else:
        return Quantity(float(read.value), float(read.value), united=read.united)
    found = {_between(low, high, text, UNITS[unit]) for low, high in halves}
    if len(found) > 1:
        raise QuantityError(f"“{text}” can be read as several ranges: write it with “to”")
    return found.pop()


def wish(text: str, unit: str) -> Wish:
    """Read what is asked for: a number or range, after ``>=``, ``<=``, ``min`` or the like. Raises as :func:`span`."""
    match = _COMPARISON.fullmatch(_clean(text))
    assert match is not None, "the pattern takes any text of one line"
    sign = (match[1] or "").lower().strip().rstrip(".")
    comparison = _COMPARISONS.get(sign, sign)
    try:
        quantity = number(match[2], unit)
    except QuantityError:
        if comparison:
            raise
        quantity = span(match[2], unit)
    return Wish(comparison, quantity)


def write(value: float, unit: str, digits: int | None = None) -> str:
    """Write a number of base units in engineering notation: ``4.7 kΩ``; what is long in its long unit: ``10000 h``.

    Without ``digits``, all that the number has are written, and :func:`number` reads the very same float again.
    """
    known = UNITS[unit]
    exact = Decimal(repr(value) if digits is None else f"{value:.{digits - 1}e}")
    if (long := _in_long(exact, known)) is not None:
        return f"{_with_exponent(long) if abs(long) >= 10**6 else _plain(long)} {known.long}"
    prefix, scaled = _prefixed(exact, known)
    text = _with_exponent(scaled) if not prefix and scaled and not _READABLE <= abs(scaled) < 10**6 else _plain(scaled)
    ending = f"{prefix}{known.symbol}"
    return f"{text} {ending}" if ending else text


def _clean(text: str) -> str:
    text = text.translate(_SPACES).strip()
    if not text:
        raise QuantityError("nothing is written here")
    if len(text) > MAX_LENGTH or not text.isprintable():
        raise QuantityError(f"a quantity is at most {MAX_LENGTH} characters of one line")
    return text


def _alone(text: str, unit: str) -> _Number:
    read = _number(text, unit)
    if not (read.prefixed or read.united or UNITS[unit].bare or read.value == 0):
        raise _of_what(text, UNITS[unit])
    return read


def _number(text: str, unit: str) -> _Number:
    known = UNITS[unit]
    read = _fraction(text, known) or _decimal(text, known) or _by_letter(text, known)
    if read is None:
        raise _not_read(text, known)
    if read.value < 0 and not known.signed:
        raise QuantityError(f"“{text}” is below zero")
    if known.whole and read.value.denominator != 1:
        raise QuantityError(f"“{text}” is no whole number")
    if read.value and not _SMALLEST <= abs(read.value) <= _LARGEST:
        raise QuantityError(f"“{text}” is too small or too large")
    return read


def _decimal(text: str, unit: Unit) -> _Number | None:
    """Read ``4.7uF``, ``4,7 uF``, ``4.7e-6``."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    sign, digits, e, exponent, ending = match.groups()
    found = _ending(ending.strip(), unit)
    if found is None:
        return None
    if re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}", digits):
        raise QuantityError(
            f"“{digits}” may be thousands: write {digits.replace(',', '.')} or {digits.replace(',', '')}"
        )
    if re.match(r"0[0-9]", digits):
        raise QuantityError(f"“{digits}” looks like a size or a code, not like a number")
    if e and found.prefixed:
        raise QuantityError(f"“{text}” has an exponent and a prefix: write one of them")
    if e == "E" and exponent.isdigit() and "R" in unit.letters:
        raise QuantityError(f"“{text}” may be {digits}R{exponent} or {digits}e{exponent}: write one of these")
    value = Fraction(digits.replace(",", ".")) * Fraction(10) ** int(exponent or 0) * found.value
    return _Number(_SIGNS[sign] * value, found.prefixed or bool(e), found.united)


def _by_letter(text: str, unit: Unit) -> _Number | None:
    """Read ``4k7``, ``4R7``, ``R47``, ``3V3`` (IEC 60062), perhaps with the unit behind: ``4u7F``."""
    match = _LETTER.fullmatch(text)
    if match is None:
        return None
    sign, whole, letter, rest, ending = match.groups()
    factors, of_unit = unit.factors(), letter in unit.letters
    if letter in unit.names and letter in factors:
        raise _two_ways(letter, unit)
    factor = Fraction(1) if of_unit else factors.get(letter)
    if factor is None or letter in BINARY or re.match(r"0[0-9]", whole):
        return None
    if of_unit and letter != "R" and not whole:
        return None
    if ending.strip() not in ("", *(() if of_unit else (unit.symbol, *unit.names))):
        return None
    return _Number(_SIGNS[sign] * Fraction(f"{whole or 0}.{rest}") * factor, not of_unit, of_unit or bool(ending))


def _fraction(text: str, unit: Unit) -> _Number | None:
    """Read ``1/4W`` and ``¼ W``."""
    match = _FRACTION.fullmatch(text)
    if match is None:
        return None
    sign, top, bottom, vulgar, ending = match.groups()
    found = _ending(ending.strip(), unit)
    if found is None or found.prefixed or (bottom and int(bottom) == 0):
        return None
    value = _VULGAR[vulgar] if vulgar else Fraction(int(top), int(bottom))
    return _Number(_SIGNS[sign] * value * found.value, prefixed=False, united=found.united)


def _ending(text: str, unit: Unit) -> _Number | None:
    """Return the factor of a prefix and a unit, None where they are none. The unit's symbol comes before a prefix."""
    factors = unit.factors()
    if text in (unit.symbol, ""):
        return _Number(Fraction(1), prefixed=False, united=bool(text))
    if text in unit.others:
        return _Number(unit.others[text], prefixed=False, united=True)
    found = {}
    for name in ("", unit.symbol, *unit.names):
        if text.endswith(name):
            prefix = text.removesuffix(name).strip()
            if prefix in factors:
                found[factors[prefix]] = _Number(factors[prefix], prefixed=bool(prefix), united=bool(name))
    if len(found) > 1:
        raise _two_ways(text, unit)
    return next(iter(found.values()), None)


def _halves(text: str, unit: str) -> Iterator[tuple[_Number, _Number]]:
    """Yield every way to read a text as two numbers with a separator between them."""
    for match in _SEPARATOR.finditer(text):
        low, high = text[: match.start()].rstrip(), text[match.end() :].lstrip()
        try:
            yield _number(low, unit), _number(high, unit)
        except QuantityError:
            continue


def _between(low: _Number, high: _Number, text: str, unit: Unit) -> Quantity:
    one, other = (low, high) if low.prefixed else (high, low)
    if one.prefixed and not other.prefixed and not other.united and other.value:
        raise QuantityError(f"“{text}”: write the prefix on both sides, as in 1k to 10k")
    if not (unit.bare or one.prefixed or low.united or high.united):
        raise _of_what(text, unit)
    return _ordered(low.value, high.value, text, united=low.united or high.united)


def _ordered(low: Fraction, high: Fraction, text: str, *, united: bool) -> Quantity:
    if low > high:
        raise QuantityError(f"“{text}” begins above its end")
    return Quantity(float(low), float(high), united=united)


def _percent(text: str) -> float:
    value = float(text.replace(",", "."))
    if value > 100:
        raise QuantityError(f"a tolerance of {text} % says nothing")
    return value


def _not_read(text: str, unit: Unit) -> QuantityError:
    of = f" of {unit.symbol}" if unit.symbol else ""
    return QuantityError(f"“{text}” is not read as a number{of}: write it as in {unit.example}")


def _of_what(text: str, unit: Unit) -> QuantityError:
    return QuantityError(f"“{text}” of what? Write the prefix or the unit, as in {unit.example}")


def _two_ways(text: str, unit: Unit) -> QuantityError:
    return QuantityError(f"“{text}” may be a prefix or the unit: write {text}{unit.symbol} or {unit.symbol}")


def _in_long(value: Decimal, unit: Unit) -> Decimal | None:
    """Return how many of the unit's long ones a number is, None where it is less than one or has many decimals."""
    if not unit.long:
        return None
    scaled = Fraction(value) / unit.others[unit.long]
    exactly = abs(scaled) >= 1 and _PARTS % scaled.denominator == 0
    return Decimal(scaled.numerator) / scaled.denominator if exactly else None


def _prefixed(value: Decimal, unit: Unit) -> tuple[str, Decimal]:
    """Return the prefix that leaves one to three digits before the mark, and what it leaves; none where none does."""
    if unit.binary and value:
        for prefix, factor in sorted(BINARY.items(), key=lambda item: -item[1]):
            if value % factor == 0:
                return prefix, value / factor
    for prefix in unit.prefixes.replace("c", ""):
        scaled = value.scaleb(-POWERS[prefix])
        if 1 <= abs(scaled) < 1000:
            return prefix, scaled
    return "", value


def _plain(value: Decimal) -> str:
    return f"{value.normalize() + 0:f}"


def _with_exponent(value: Decimal) -> str:
    return f"{_plain(value.scaleb(-value.adjusted()))}e{value.adjusted()}"
