"""Results as Markdown, between the two markers of their measurement in ``bench/README.md``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Table:
    """Rows of cells below a heading. The first column is text, all others are figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return the table as GitHub's Markdown."""
        lines = [self.columns, ("---", *("---:" for _ in self.columns[1:])), *self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


@dataclass(frozen=True)
class Result:
    """What one measurement found: tables, and a ``note`` with what differs from run to run."""

    tables: tuple[Table, ...]
    note: str

    def markdown(self) -> str:
        """Return the tables and the note, each a paragraph."""
        return "\n\n".join([*(table.markdown() for table in self.tables), self.note])


def write(page: Path, name: str, text: str) -> None:
    """Replace what stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``. Raises ``ValueError`` without markers."""
    before = page.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    after, count = pattern.subn(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", before)
    if count != 1:
        raise ValueError(f"{page.name} has {count} pairs of markers <!-- {name} -->")
    page.write_text(after, encoding="utf-8")


def ratio(measured: float, floor: float) -> str:
    """Return how many times the floor something is."""
    return f"{measured / floor:.2f}"


def seconds(values: Sequence[float]) -> str:
    """Return the median and, where there is more than one value, the least and the greatest."""
    ordered = sorted(values)
    if len(ordered) == 1:
        return f"{ordered[0]:.2f} s"
    return f"{median(ordered):.2f} s ({ordered[0]:.2f} to {ordered[-1]:.2f})"


def median(values: Sequence[float]) -> float:
    """Return the middle value, the mean of the two middle ones for an even count."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
