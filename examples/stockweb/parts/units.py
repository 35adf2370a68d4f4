"""The base units that attributes are measured in: how people write them, and which prefixes go with them.

A prefix that nobody uses with a unit is left out on purpose: ``1m`` is no millihertz but a slip for ``1M``, and a
message says so, where reading it would be wrong by nine powers of ten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

#: Power of ten by the letter that is written.
POWERS: Mapping[str, int] = {"f": -15, "p": -12, "n": -9, "µ": -6, "m": -3, "c": -2, "k": 3, "M": 6, "G": 9, "T": 12}
#: Bytes are counted by these as well (IEC 80000-13).
BINARY: Mapping[str, int] = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
#: Other ways to write a prefix; U+03BC is the Greek letter that looks like the micro sign U+00B5.
_SPELLINGS: Mapping[str, tuple[str, ...]] = {"µ": ("u", "\u03bc"), "k": ("K",), "M": ("meg", "Meg", "MEG")}


@dataclass(frozen=True)
class Unit:
    """One base unit.

    ``symbol`` is how it is shown, ``example`` a quantity as people write it, ``names`` are other ways to write the
    unit, ``prefixes`` what may stand before it. ``others`` are units of the same kind and their factors; they take no
    prefix; what is no less than the one named ``long`` is written in it, for nobody thinks of a lifetime in seconds.
    ``letters`` may stand in place of the decimal mark, as in ``4R7``. Where ``bare`` is false, a number alone is
    refused: ``47`` farad was never meant.
    """

    symbol: str
    example: str
    names: tuple[str, ...] = ()
    prefixes: str = ""
    others: Mapping[str, Fraction] = field(default_factory=dict)
    long: str = ""
    letters: str = ""
    signed: bool = False
    whole: bool = False
    bare: bool = True
    binary: bool = False

    def factors(self) -> dict[str, Fraction]:
        """Return the factor of each spelling of each prefix, with the empty one."""
        found = {"": Fraction(1)}
        for prefix in self.prefixes:
            for spelling in (prefix, *_SPELLINGS.get(prefix, ())):
                found[spelling] = Fraction(10) ** POWERS[prefix]
        if self.binary:
            del found["K"]  # a thousand to some and 1024 to others
            found |= {prefix: Fraction(factor) for prefix, factor in BINARY.items()}
        return found


UNITS: Mapping[str, Unit] = {
    "": Unit("", "1.5", prefixes="kM", signed=True),
    "ohm": Unit("Ω", "4k7", ("\u2126", "ohm", "ohms", "Ohm", "Ohms", "OHM", "R"), "mkMG", letters="RΩ\u2126"),
    "F": Unit("F", "4.7uF", ("f", "farad"), "fpnµm", letters="F", bare=False),
    "H": Unit("H", "10uH", ("h", "henry"), "pnµm", letters="H", bare=False),
    "V": Unit("V", "3V3", ("v", "volt", "volts"), "nµmk", letters="Vv", signed=True),
    "A": Unit("A", "200mA", ("a", "amp", "amps"), "fpnµmk", letters="A", signed=True),
    "W": Unit("W", "1/4W", ("w", "watt", "watts"), "nµmkM", letters="W"),
    "Hz": Unit("Hz", "16MHz", ("hz", "HZ"), "kMGT"),
    "s": Unit("s", "10ms", ("sec",), "fpnµm", {"min": Fraction(60), "h": Fraction(3600)}, long="h", signed=True),
    "m": Unit(
        "m",
        "2.54mm",
        prefixes="nµmck",
        others={"in": Fraction(254, 10_000), "mil": Fraction(254, 10_000_000)},
        letters="m",
        signed=True,
    ),
    "degC": Unit("°C", "85 °C", ("degC", "deg C", "° C", "\u2103", "ºC", "C"), signed=True),
    "%": Unit("%", "±5%", signed=True),
    "B": Unit("B", "32KiB", ("byte", "bytes"), "kMGT", whole=True, binary=True),
    "count": Unit("", "40", ("count", "pcs", "pieces"), "kM", whole=True),
}
