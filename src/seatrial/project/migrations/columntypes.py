"""What PostgreSQL does when a column's type changes. Pure.

From the manual, ``ALTER TABLE``, "Notes": a change of type rewrites the table and its indexes, unless the old type is
binary coercible to the new one, or is the same type with a wider modifier.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Change = Literal["same", "widen", "rewrite", "narrow", "other"]

_INTEGERS = ("smallint", "integer", "bigint")
_FLOATS = ("real", "double precision")
_TYPE = re.compile(r"^(?P<name>[a-z ]+?)(\((?P<sizes>[\d, ]+)\))?$")


@dataclass(frozen=True)
class _Type:
    name: str
    sizes: tuple[int, ...]


def change(old: str, new: str) -> Change:
    """Return what becomes of a column of type ``old`` that gets the type ``new``, as Django writes types.

    ``widen``: all old values fit, and nothing is rewritten; ``rewrite``: they fit, and the table is rewritten;
    ``narrow``: some might not fit; ``other``: another kind of value.
    """
    if old == new:
        return "same"
    if old.endswith("[]") and new.endswith("[]"):
        inner = change(old.removesuffix("[]"), new.removesuffix("[]"))
        return "rewrite" if inner == "widen" else inner  # no array is binary coercible to another
    one, other = _parsed(old), _parsed(new)
    for family in (_texts, _integers, _numerics):
        verdict = family(one, other)
        if verdict is not None:
            return verdict
    return "other"


def _parsed(text: str) -> _Type:
    match = _TYPE.match(text)
    if match is None:
        return _Type(text, ())
    sizes = tuple(int(each) for each in (match["sizes"] or "").replace(" ", "").split(",") if each)
    return _Type(match["name"], sizes)


def _texts(old: _Type, new: _Type) -> Change | None:
    names = ("varchar", "text")
    if old.name not in names or new.name not in names:
        return None
    if not new.sizes:
        return "widen"
    return "widen" if old.sizes and old.sizes[0] <= new.sizes[0] else "narrow"


def _integers(old: _Type, new: _Type) -> Change | None:
    for family in (_INTEGERS, _FLOATS):
        if old.name in family and new.name in family:
            return "rewrite" if family.index(old.name) < family.index(new.name) else "narrow"
    return None


def _numerics(old: _Type, new: _Type) -> Change | None:
    if old.name != "numeric" or new.name != "numeric":
        return None
    if not new.sizes:
        return "widen"
    if not old.sizes:
        return "narrow"
    (digits, places), (new_digits, new_places) = old.sizes, new.sizes
    if new_places < places or new_digits - new_places < digits - places:
        return "narrow"
    return "widen" if places == new_places else "rewrite"
