"""Bills of material as KiCad writes them, in both of its forms. Pure.

The board editor's has five or more columns by position, whatever language their names are in: number, references,
footprint, quantity, value. The schematic editor's has columns by name, in any order, and those that people add for the
maker's number or a shop's. References may be ranges (``C103-C105``), and a quantity may be missing: then they are
counted.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exchange.table import Row, Table, TableError, read_table

MAX_LINES = 2000
_MAX_RANGE = 1000
_MAX_QUANTITY = 1_000_000
_NAMES: Mapping[str, Sequence[str]] = {
    "refs": ("reference", "references", "refs", "ref", "reference(s)", "designator", "designators"),
    "value": ("value", "val"),
    "footprint": ("footprint", "package"),
    "quantity": ("qty", "quantity", "quantity per pcb", "qnty"),
    "dnp": ("dnp", "do not populate", "do not place"),
    "mpn": (
        "mpn",
        "part number",
        "manufacturer part number",
        "manufacturer_part_number",
        "manufacturer part",
        "mfr. part #",
        "mfr part number",
    ),
    "sku": ("sku", "order number", "supplier part number", "supplier and ref", "lcsc", "lcsc part", "lcsc part #"),
}
_BY_POSITION: Mapping[str, int] = {"refs": 1, "footprint": 2, "quantity": 3, "value": 4, "sku": 5}
_LONGEST: Mapping[str, int] = {"value": 120, "footprint": 160, "mpn": 80, "sku": 80}
_NO = ("", "0", "no", "n", "false", "~")
_RANGE = re.compile(r"([^\W\d_]+)(\d{1,6})-([^\W\d_]*)(\d{1,6})")
_DASH = re.compile(r"\s*[-–]\s*")
_REF = re.compile(r"[^\s,;]{1,20}")


class BomError(ValueError):
    """The file is no bill of material; ``wrong`` has the reasons by line, 0 for the whole file."""

    def __init__(self, wrong: Mapping[int, str]) -> None:
        super().__init__("; ".join(f"line {line}: {text}" if line else text for line, text in wrong.items()))
        self.wrong = wrong


@dataclass(frozen=True)
class BomRow:
    """One line: so many of a value in a footprint for a board, and where they are placed."""

    line: int
    refs: tuple[str, ...]
    quantity: int
    value: str = ""
    footprint: str = ""
    mpn: str = ""
    sku: str = ""
    dnp: bool = False


def read_bom(content: bytes) -> list[BomRow]:
    """Read a file. Raises :class:`BomError` with all that is wrong."""
    try:
        table = read_table(content)
    except TableError as error:
        raise BomError({0: f"{error}"}) from None
    if len(table.rows) > MAX_LINES:
        raise BomError({0: f"the file has {len(table.rows)} lines, and at most {MAX_LINES} are read"})
    columns = _columns(table)
    rows: list[BomRow] = []
    wrong: dict[int, str] = {}
    seen: dict[str, int] = {}
    for row in table.rows:
        try:
            found = _row(row, columns)
        except ValueError as error:
            wrong[row.line] = f"{error}"
            continue
        rows.append(found)
        twice = [ref for ref in found.refs if seen.setdefault(ref, row.line) != row.line]
        if twice:
            wrong[row.line] = f"{twice[0]} is on line {seen[twice[0]]} as well"
    if wrong:
        raise BomError(wrong)
    return rows


def _columns(table: Table) -> dict[str, int]:
    """Return where each field is: by the names in the header, else by position."""
    header = [name.strip().casefold() for name in table.header]
    by_name = {
        field: next(header.index(name) for name in names if name in header)
        for field, names in _NAMES.items()
        if any(name in header for name in names)
    }
    if "refs" in by_name and ("value" in by_name or "mpn" in by_name):
        return by_name
    if len(header) >= 5 and all(row.cells[0].isdigit() for row in table.rows):
        return {field: index for field, index in _BY_POSITION.items() if index < len(header)}
    raise BomError(
        {
            0: "the columns are not those of a bill of material: Reference, Value, Footprint, Qty and DNP, or KiCad's "
            f"five columns that begin with a number; these are {', '.join(table.header)}"
        }
    )


def _row(row: Row, columns: Mapping[str, int]) -> BomRow:
    cell = _reader(row, columns)
    refs = tuple(references(cell("refs")))
    if len(set(refs)) < len(refs):
        raise ValueError(f"{next(ref for ref in refs if refs.count(ref) > 1)} is there twice")
    texts = {field: cell(field) for field in _LONGEST}
    for field, longest in _LONGEST.items():
        if len(texts[field]) > longest or not texts[field].isprintable():
            raise ValueError(f"{field} has at most {longest} characters in one line")
    if not (texts["value"] or texts["mpn"] or texts["sku"]):
        raise ValueError("there is neither a value nor a number of a part")
    dnp = cell("dnp").casefold() not in _NO
    return BomRow(row.line, refs, _quantity(cell("quantity"), refs), **_sensible(texts), dnp=dnp)


def _reader(row: Row, columns: Mapping[str, int]) -> Callable[[str], str]:
    def cell(field: str) -> str:
        index = columns.get(field, len(row.cells))
        return row.cells[index].strip() if index < len(row.cells) else ""

    return cell


def _sensible(texts: Mapping[str, str]) -> dict[str, str]:
    """KiCad writes ``~`` where a field is empty."""
    return {field: "" if text == "~" else text for field, text in texts.items()}


def _quantity(text: str, refs: Sequence[str]) -> int:
    if not text:
        if not refs:
            raise ValueError("there is neither a quantity nor a reference to count")
        return len(refs)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= _MAX_QUANTITY):
        raise ValueError(f"the quantity “{text}” is no whole number from 1 to {_MAX_QUANTITY}")
    if refs and len(refs) != int(text):
        raise ValueError(f"the quantity is {text}, and there are {len(refs)} references")
    return int(text)


def references(text: str) -> Iterator[str]:
    """Yield single references: ``C1, C3-C5`` are C1, C3, C4 and C5. Raises ``ValueError``."""
    for item in re.split(r"[,;\s]+", _DASH.sub("-", text).strip(" ,;")):
        if match := _RANGE.fullmatch(item):
            prefix, first, other, last = match[1], int(match[2]), match[3], int(match[4])
            if other not in ("", prefix) or not first <= last < first + _MAX_RANGE:
                raise ValueError(f"“{item}” is no range of references, as C3-C5 is")
            yield from (f"{prefix}{number}" for number in range(first, last + 1))
        elif _REF.fullmatch(item):
            yield item
        elif item:
            raise ValueError(f"“{item}” is no reference, as C3 is")
