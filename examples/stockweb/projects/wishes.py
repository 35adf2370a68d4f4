"""From what a drawing says (``10u 25V``, C12, ``Capacitor_SMD:C_0805_2012Metric``) to a requirement.

The letters of the reference tell the type of part, the footprint tells the package, and the value is read as a line of
a search is, with spaces where that has commas.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parts.line import read_line
from parts.requirement import Requirement, RequirementError, Vocabulary

_CHIP = re.compile(r"(?:^|_)(01005|0201|0402|0603|0805|1206|1210|1812|2010|2512)(?:_|$)")
#: What a footprint begins with, before it says its package.
_KINDS = ("C", "CP", "R", "L", "D", "LED", "Q", "U", "Crystal", "Fuse", "Potentiometer", "SW")
_METRIC = re.compile(r"(?:^|_)([0-9]{4})Metric")
_PINS = re.compile(r"-[0-9]+Pin$")
_LETTERS = re.compile(r"[^\W\d_]+")
#: A number and its unit may stand apart; a slash divides, but in 1/4W.
_APART = re.compile(r"(?<=[0-9])\s+(?=(?:[fpnuµmkKMG]?(?:F|H|V|A|W|Hz|s|B|Ω|ohms?|R)|[pnuµmkKMG%])(?:$|[\s,;/]))")
_BETWEEN = re.compile(r"\s+|[,;](?![0-9])|(?<![0-9]),|(?<=[^0-9\s])/|/(?=[^0-9\s])")


@dataclass(frozen=True)
class Wish:
    """What a line needs, as it is stored; ``unclear`` says why nothing could be read."""

    part_type: int | None = None
    wanted: Mapping[str, str] | None = None
    package: str = ""
    unclear: str = ""


def wish(refs: Sequence[str], value: str, footprint: str, known: Vocabulary) -> Wish:
    """Read what is needed. The letters of the first reference tell the type."""
    package = package_of(footprint)
    letters = _letters(refs)
    type_id = next((pk for pk, each in known.types.rows.items() if letters in each.designators.upper().split()), None)
    if type_id is None:
        reason = f"no type of part has the designator {letters}" if letters else "there is no reference"
        return Wish(package=package, unclear=reason)
    try:
        requirement = read_line(_line(value), type_id, known, lambda text: _is_package(text, package))
    except RequirementError as error:
        return Wish(type_id, package=package, unclear=error.wrong.get("line", f"{error}")[:300])
    wanted = {each.definition.key: each.text for each in requirement.clauses}
    if not wanted:
        return Wish(type_id, package=package, unclear="the value says nothing of an attribute")
    return Wish(requirement.type.pk, wanted, requirement.package or package)


def requirement_of(wished: Wish, known: Vocabulary) -> Requirement | None:
    """Return the requirement, None where there is none or what it asks for is no longer defined."""
    if wished.part_type not in known.types.rows or not wished.wanted:
        return None
    try:
        return known.requirement(wished.part_type, wished.wanted, package=wished.package)
    except RequirementError:
        return None


def package_of(footprint: str) -> str:
    """Return the package that a footprint is of: 0805 of ``Capacitor_SMD:C_0805_2012Metric_HandSolder``."""
    name = footprint.rpartition(":")[2].strip()
    if chip := _CHIP.search(name):
        return chip[1]
    if metric := _METRIC.search(name):
        return metric[1]
    words = [word for word in name.split("_") if word not in ("", "SMD")]
    if len(words) > 1 and words[0] in _KINDS:
        words = words[1:]
    first = words[0] if words else ""
    return first.lower() if first in ("Axial", "Radial") else _PINS.sub("", first)[:40]


def _letters(refs: Sequence[str]) -> str:
    match = _LETTERS.match(refs[0]) if refs else None
    return match[0].upper() if match else ""


def _line(value: str) -> str:
    items = [item for item in _BETWEEN.split(_APART.sub("", value)) if item]
    return ", ".join(items)


def _is_package(text: str, package: str) -> bool:
    return text.upper() == package.upper() or _CHIP.fullmatch(text) is not None
