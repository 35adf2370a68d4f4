"""A CSV file as spreadsheets write them, read into rows that know their lines; and cells that spreadsheets leave alone.

The file says neither its encoding nor its delimiter, so both are found out. Pure.
"""

import csv
import io
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: A spreadsheet takes a cell that begins with one of these for a formula, and runs it (OWASP, "CSV injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARK = "'"
_DELIMITERS = (",", ";", "\t")
#: What Excel writes in front to say how it wrote the rest.
_SAYS_DELIMITER = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


class TableError(ValueError):
    """The file is no table; the message is for whoever sent it."""


@dataclass(frozen=True)
class Row:
    """The cells of one row, and the line of the file on which it begins."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A file's rows below its header."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(content: bytes) -> Table:
    """Read a file. Rows of nothing are left out. Raises :class:`TableError`."""
    text, encoding = _decoded(content)
    if "\0" in text:
        raise TableError(f"line {text[: text.index(chr(0))].count(chr(10)) + 1} has a zero in it: this is no text")
    said = _SAYS_DELIMITER.match(text)
    body = text[said.end() :] if said else text
    delimiter = said[1] if said else _delimiter(body)
    rows = list(_rows(body, delimiter, skipped=1 if said else 0))
    if not rows:
        raise TableError("the file is empty")
    header, below = rows[0], rows[1:]
    if not below:
        raise TableError("there is nothing below the header")
    return Table(encoding, delimiter, header.cells, tuple(below))


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula; :func:`unguarded` gives the very text back."""
    return f"{_MARK}{text}" if text.startswith((*_FORMULA, _MARK)) else text


def unguarded(cell: str) -> str:
    """Return what a cell said before it was guarded."""
    return cell[1:] if cell.startswith(_MARK) and cell[1:].startswith((*_FORMULA, _MARK)) else cell


def written(cells: Sequence[str]) -> str:
    """Return one line of CSV, with every cell guarded."""
    line = io.StringIO()
    csv.writer(line).writerow([guarded(cell) for cell in cells])
    return line.getvalue()


def _decoded(content: bytes) -> tuple[str, str]:
    """Return the text and its encoding: by its byte order mark, else UTF-8 or UTF-16 if it can be, else Windows'."""
    if content.startswith(BOM_UTF8):
        return _text(content, "utf-8-sig"), "utf-8"
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return _text(content, "utf-16"), "utf-16"
    for encoding, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        if len(content) > 1 and zeros.count(0) > len(zeros) // 2:
            return _text(content, encoding), "utf-16"
    try:
        return content.decode(), "utf-8"
    except UnicodeDecodeError:
        return _text(content, "cp1252"), "cp1252"


def _text(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TableError(f"line {line} is neither UTF-8 nor {encoding}: save the file as CSV UTF-8") from None


def _delimiter(text: str) -> str:
    """Return the delimiter by which the first line has the most cells."""
    return max(_DELIMITERS, key=lambda each: len(next(csv.reader(io.StringIO(text, newline=""), delimiter=each), ())))


def _rows(text: str, delimiter: str, *, skipped: int) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(line + skipped, tuple(unguarded(cell).strip() for cell in cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"line {line + skipped}: {error}") from None
