"""What the columns of a file stand for. Pure, but for the attributes there are, which are passed in."""

import hashlib
import re
from collections.abc import Mapping, Sequence

ATTRIBUTE = "attr:"
#: What is told of a part, in the order in which it is exported. Names are those of the model's fields.
OF_PART = ("id", "type", "name", "mpn", "manufacturer", "description", "package", "tags", "min_qty")
#: What is told of a part in a box: how many there are, or how many are added.
OF_STOCK = ("box", "quantity", "bought")
#: What may be said once for all rows instead.
CONSTANT = ("type", "manufacturer", "box")

#: Other names that people give their columns, as :func:`_plain` leaves them.
_ALSO = {
    "type": ("category", "part type", "kategorie", "bauteiltyp"),
    "name": ("part", "part name", "title", "bezeichnung"),
    "mpn": ("part number", "manufacturer part number", "mfr part", "mfr part number", "part no", "herstellernummer"),
    "manufacturer": ("maker", "mfr", "mfg", "brand", "hersteller"),
    "description": ("comment", "notes", "beschreibung"),
    "package": ("footprint", "case", "gehäuse"),
    "tags": ("keywords", "schlagworte"),
    "min_qty": ("min qty", "minimum", "minimum stock", "min stock", "mindestbestand"),
    "box": ("location", "bin", "storage", "drawer", "lagerort"),
    "quantity": ("qty", "stock", "in stock", "on hand", "count", "menge", "bestand"),
    "bought": ("add", "added", "received", "zugang"),
}
_BY_NAME = {name: target for target in (*OF_PART, *OF_STOCK) for name in (target, *_ALSO.get(target, ()))}


def proposed(header: Sequence[str], attributes: Mapping[str, str]) -> list[str]:
    """Return what each column stands for by its name, "" where that says nothing. ``attributes`` are labels by key."""
    by_label = {_plain(label): key for key, label in reversed(attributes.items())}
    taken: set[str] = set()
    found = []
    for name in header:
        target = _BY_NAME.get(name.strip().casefold()) or _BY_NAME.get(_plain(name), "")
        key = name.strip().removeprefix(ATTRIBUTE)
        if not target:
            key = key if key in attributes else by_label.get(_plain(name), "")
            target = f"{ATTRIBUTE}{key}" if key else ""
        found.append("" if target in taken else target)
        taken.add(target)
    return found


def wrong(columns: Sequence[str], constants: Mapping[str, str], header: Sequence[str]) -> list[str]:
    """Return what is wrong with a choice of columns, in sentences; nothing where it will do."""
    found = []
    if len(columns) != len(header):
        found.append(f"the file has {len(header)} columns, and {len(columns)} are told")
    known = {*OF_PART, *OF_STOCK}
    for target in dict.fromkeys(filter(None, columns)):
        if target not in known and not target.startswith(ATTRIBUTE):
            found.append(f"“{target}” is nothing that a column can stand for")
        if columns.count(target) > 1:
            found.append(f"two columns stand for “{target}”")
    found += [f"“{each}” cannot be said for all rows" for each in constants if each not in CONSTANT]
    found += [f"“{each}” is a column and said for all rows" for each in constants if each in columns]
    if not {"id", "mpn", "name"} & set(columns):
        found.append("no column says which part a row is about: id, mpn or name")
    amounts = {"quantity", "bought"} & set(columns)
    if amounts and "box" not in columns and "box" not in constants:
        found.append("there are quantities, but no box")
    if ("box" in columns or "box" in constants) and not amounts:
        found.append("there are boxes, but no quantities")
    return found


def signature(header: Sequence[str]) -> str:
    """Return what stands for a header however its words are spaced or capitalised: files of one origin share it."""
    return hashlib.sha256("\x1f".join(_plain(name) for name in header).encode()).hexdigest()


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", name.casefold()).split())
