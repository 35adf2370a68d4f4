"""What a row would do: which part it is about, what of it would change, and what is wrong in which cell. Reads nothing.

A row is about the part with its ``id``; else with its part number and manufacturer; else, where it has no part number,
with its name among parts of its type that have none. Where there is no such part, one is made, with the id that the row
gives. A cell of nothing empties what it is about; a column that the file has not leaves everything as it is.

Several rows may be about one part, each with another box. They must say the same of the part itself.
"""

import hashlib
import json
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exchange.columns import ATTRIBUTE, OF_STOCK
from exchange.models import ImportLine
from exchange.table import Row
from exchange.world import FIELDS, ROUGHLY, Amount, Known, Words, World, highest_id, type_path
from parts.models import AttributeDefinition, Part
from parts.quantity import QuantityError
from parts.reading import read
from stock.ledger import MAX_QUANTITY

Verdict = ImportLine.Verdict

#: Keys of movements derive from this, the file and the line: importing a file again counts and adds nothing again.
_NAMESPACE = uuid.UUID("5ac4cbb4-8a1d-4d3c-9a53-0d1a7e8a1d6e")
_MAX_MINIMUM = 2**31 - 1
_LONGEST = {name: Part._meta.get_field(name).max_length for name in FIELDS}  # noqa: SLF001 - Django's documented API
_LONGEST_VALUE = 80
#: What is longer is wrong, and told to be.
_LONGEST_IDENTITY = 400
_NO_TEXT = "is not to be read as text"


@dataclass(frozen=True)
class Cells:
    """A row by what its cells stand for, with the constants of the import."""

    line: int
    by: Mapping[str, str]
    file: str

    def key(self, target: str) -> uuid.UUID:
        """Return the key of the movement that the row makes of its file, by its digest: the same in every import."""
        return uuid.uuid5(_NAMESPACE, f"{self.file}/{self.line}/{target}")

    def of_part(self) -> str:
        """Return a digest of what the row says of the part itself."""
        said = {target: text for target, text in self.by.items() if target not in OF_STOCK}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Address:
    """How a row says which part it is about; ``key`` has it among those of the file."""

    id: int | None
    number: tuple[str, str] | None
    name: tuple[int, str] | None

    @property
    def key(self) -> str:
        """The same for all rows that mean one part by the same words."""
        if self.id is not None:
            return f"id\x1f{self.id}"
        given = self.number or self.name
        return "\x1f".join(map(str, ("number" if self.number else "name", *given))) if given else ""


@dataclass
class Plan:
    """What a row would do; grows while it is made."""

    line: int
    verdict: str = Verdict.SAME
    identity: str = ""
    number: str = ""
    digest: str = ""
    box: int | None = None
    notes: list[dict[str, str]] = field(default_factory=list)
    write: dict[str, Any] = field(default_factory=dict)

    def fault(self, column: str, error: str) -> None:
        """Say what is wrong with a cell."""
        self.verdict = Verdict.ERROR
        self.notes.append({"column": column, "error": error})

    def change(self, column: str, before: object, after: object) -> None:
        """Say what would change."""
        self.notes.append({"column": column, "before": f"{before}", "after": f"{after}"})


def cells(row: Row, columns: Sequence[str], constants: Mapping[str, str], file: str) -> Cells:
    """Return a row's cells by what they stand for."""
    by = {target: text for target, text in zip(columns, row.cells, strict=False) if target}
    return Cells(row.line, {**constants, **by}, file)


def address(row: Cells, words: Words) -> Address:
    """Return which part a row says that it is about; a cell that cannot be read says nothing."""
    number, name = row.by.get("mpn", ""), row.by.get("name", "")
    types = words.called(row.by.get("type", ""))
    return Address(
        id=_whole(row.by.get("id", "")),
        number=(number, row.by.get("manufacturer", "")) if number else None,
        name=(types[0], name) if name and not number and len(types) == 1 else None,
    )


def plan(row: Cells, width: tuple[int, int], words: Words, known: World) -> Plan:
    """Return what a row would do. ``width`` is how many cells the row has and how many the header has."""
    made = Plan(row.line, digest=row.of_part())
    if width[0] != width[1]:
        made.fault("", f"the row has {width[0]} cells, and the header {width[1]}")
        return made
    wanted = address(row, words)
    part = _meant(made, row, wanted, known)
    made.identity = wanted.key[:_LONGEST_IDENTITY] if part is None else f"part\x1f{part.id}"
    if made.verdict == Verdict.ERROR:
        return made
    type_id = _type(made, row, part, words)
    fields = _fields(made, row, part)
    values = _values(made, row, part, words, type_id) if type_id is not None else {}
    _number(made, part, fields, known)
    made.write = {"part": part and part.id, "id": wanted.id, "type": type_id, "fields": fields, "values": values}
    _stock(made, row, part, words, known)
    if made.verdict != Verdict.ERROR:
        changed = any("after" in note for note in made.notes)
        made.verdict = Verdict.CREATE if part is None else Verdict.UPDATE if changed else Verdict.SAME
    return made


def _meant(made: Plan, row: Cells, wanted: Address, known: World) -> Known | None:
    """Return the part that a row is about, None where it is a new one or a fault."""
    text = row.by.get("id", "")
    if text and not wanted.id:
        made.fault("id", f"“{text}” is no number of a part")
    elif wanted.id is not None and wanted.id in known.parts:
        return known.parts[wanted.id]
    elif wanted.number is not None and wanted.number in known.by_number:
        return known.parts[known.by_number[wanted.number]]
    elif wanted.id is not None and wanted.id > highest_id(known):
        made.fault("id", f"there is no part {wanted.id}, and new ones get lower numbers")
    elif wanted.id is None and wanted.name is not None:
        named = known.by_name.get(wanted.name, ())
        if len(named) > 1:
            made.fault("name", f"{len(named)} parts have this name and no part number: say which by id")
        return known.parts[named[0]] if len(named) == 1 else None
    elif not wanted.key and "name" not in row.by:
        made.fault("", "nothing says which part this is")
    return None


def _type(made: Plan, row: Cells, part: Known | None, words: Words) -> int | None:
    """Return the id of the type that the part would have."""
    text = row.by.get("type")
    if text is None and part is not None:
        return part.type
    found = words.called(text or "")
    if len(found) != 1:
        reason = f"there is no type “{text}”" if text else "a part has a type"
        if found:
            paths = sorted(type_path(words.vocabulary.types, each) for each in found)
            reason = f"“{text}” may be {' or '.join(paths)}"
        made.fault("type", reason)
        return None
    if part is not None and part.type != found[0]:
        before, after = (type_path(words.vocabulary.types, each) for each in (part.type, found[0]))
        made.change("type", before, after)
    return found[0]


def _fields(made: Plan, row: Cells, part: Known | None) -> dict[str, Any]:
    """Return the part's own columns as they would be."""
    fields: dict[str, Any] = dict(part.fields) if part else dict.fromkeys(FIELDS, "") | {"min_qty": 0}
    for name in FIELDS:
        text = row.by.get(name)
        if text is None or text == f"{fields[name]}".strip():
            continue
        value = _field(made, name, text)
        if value is not None and value != fields[name]:
            if part is not None:
                made.change(name, fields[name], value)
            fields[name] = value
    if not row.by.get("name", fields["name"]).strip():
        made.fault("name", "a part has a name")
    return fields


def _field(made: Plan, name: str, text: str) -> str | int | None:
    if name == "min_qty":
        value = 0 if not text else _whole(text)
        if value is None or value > _MAX_MINIMUM:
            made.fault(name, f"“{text}” is no whole number from 0 to {_MAX_MINIMUM}")
            return None
        return value
    longest = _LONGEST[name]
    if longest is not None and len(text) > longest:
        made.fault(name, f"is {len(text)} characters long, and {longest} is the most")
    elif not _is_text(text, lines=name == "description"):
        made.fault(name, _NO_TEXT)
    else:
        return text
    return None


def _values(made: Plan, row: Cells, part: Known | None, words: Words, type_id: int) -> dict[int, str]:
    """Return the values that would change, by definition; one that goes is empty."""
    there, before = words.attributes(type_id), part.values if part else {}
    changed: dict[int, str] = {}
    for target, text in row.by.items():
        if not target.startswith(ATTRIBUTE):
            continue
        definition = there.get(target.removeprefix(ATTRIBUTE))
        if definition is None:
            if text:
                made.fault(target, f"{words.vocabulary.types.rows[type_id]} has no such attribute")
            continue
        old = before.get(definition.pk, "")
        if text == old.strip() or not _reads(made, target, definition, text):
            continue
        changed[definition.pk] = text
        if part is not None:
            made.change(target, old, text)
    _kept(made, words, type_id, {**before, **changed}, new=part is None, changed=changed)
    return changed


def _reads(made: Plan, target: str, definition: AttributeDefinition, text: str) -> bool:
    """Whether a value may be written; nothing may, it takes away what there is."""
    if len(text) > _LONGEST_VALUE or not _is_text(text):
        made.fault(target, f"a value is one line of at most {_LONGEST_VALUE} characters")
        return False
    try:
        if text:
            read(definition, text)
    except QuantityError as error:
        made.fault(target, f"{error}")
        return False
    return True


def _kept(
    made: Plan, words: Words, type_id: int, values: Mapping[int, str], *, new: bool, changed: Mapping[int, str]
) -> None:
    """Refuse values that the type has no place for, and the loss of those that it must have."""
    there = words.attributes(type_id)
    own = {each.pk for each in there.values()}
    strange = [words.definitions[each].label for each in values if values[each] and each not in own]
    if strange:
        made.fault("type", f"this type has no place for {', '.join(strange)}")
    for key, definition in there.items():
        if definition.required and not values.get(definition.pk) and (new or definition.pk in changed):
            made.fault(f"{ATTRIBUTE}{key}", f"every part of this type has a value of {definition.label}")


def _number(made: Plan, part: Known | None, fields: Mapping[str, Any], known: World) -> None:
    """Refuse a part number that another part has."""
    if not fields["mpn"]:
        return
    number = (fields["mpn"], fields["manufacturer"])
    made.number = "\x1f".join(number)[:_LONGEST_IDENTITY]
    owner = known.by_number.get(number)
    if owner is not None and (part is None or owner != part.id):
        made.fault("mpn", f"part {owner}, {known.parts[owner].fields['name']}, has this number")


def _stock(made: Plan, row: Cells, part: Known | None, words: Words, known: World) -> None:
    """Say what the row does to the stock: a movement, never a quantity that is set."""
    amounts = {target: row.by[target] for target in ("quantity", "bought") if row.by.get(target)}
    code = row.by.get("box", "")
    if not amounts:
        if code and "box" in row.by and any(target in row.by for target in ("quantity", "bought")):
            made.fault("quantity", f"how many are in {code}?")
        return
    target, text = next(iter(amounts.items()))
    amount, box = _amount(text, guess=target == "quantity"), words.boxes.get(code)
    if len(amounts) > 1:
        made.fault("bought", "say how many there are or how many are added, not both")
    if amount is None:
        made.fault(target, f"“{text}” is no whole number from 0 to {MAX_QUANTITY}")
    if box is None:
        made.fault("box", f"there is no box “{code}”" if code else "in which box?")
    if made.verdict == Verdict.ERROR or amount is None or box is None:
        return
    made.box, key = box, row.key(target)
    if key in known.done:
        made.notes.append({"column": target, "told": "was imported from this line of this very file, and is not again"})
        return
    before = known.balances.get((part.id, box), Amount()) if part else Amount()
    after = amount if target == "quantity" else Amount(before.quantity + amount.quantity, before.roughly)
    if after != before:
        made.change(f"stock {code}", before, after)
        made.write["stock"] = [box, target, amount.quantity, amount.roughly, f"{key}"]


def _amount(text: str, *, guess: bool) -> Amount | None:
    """Read a number of parts; where it may be a guess, ``~50`` is one."""
    roughly = guess and text.startswith(ROUGHLY)
    quantity = _whole(text.removeprefix(ROUGHLY).strip() if roughly else text)
    return None if quantity is None or quantity > MAX_QUANTITY else Amount(quantity, roughly)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _is_text(text: str, *, lines: bool = False) -> bool:
    """Whether there is nothing in it that is no text, such as a zero byte or half of a character."""
    allowed = "\n\r\t" if lines else ""
    return all(each in allowed or unicodedata.category(each) not in ("Cc", "Cs") for each in text)
