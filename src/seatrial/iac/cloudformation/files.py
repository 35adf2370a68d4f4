"""Rendered templates and the directory that holds them: what differs, and writing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.iac.cloudformation.render import files
from seatrial.stack.build import build
from seatrial.stack.lowering import lower

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seatrial.config.models import Settings


@dataclass(frozen=True)
class Difference:
    """Relative paths that would be added, changed and removed."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def groups(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the three, each with the word for it."""
        return (("added", self.added), ("changed", self.changed), ("removed", self.removed))


def rendered(settings: Settings) -> dict[str, str]:
    """Return the templates of an environment: relative path → YAML."""
    return files(lower(build(settings)))


def compare(directory: Path, wanted: Mapping[str, str], owned: Sequence[str]) -> Difference:
    """Return how the files in ``directory`` differ from ``wanted``.

    ``owned`` are the subdirectories whose ``.yaml`` files are all written by us: one that is not wanted any more
    counts as removed. Other files there are nobody's business.
    """
    present = {
        str(path.relative_to(directory)): path.read_text(encoding="utf-8")
        for place in owned
        for path in sorted((directory / place).glob("*/*.yaml"))
    }
    return Difference(
        added=tuple(sorted(wanted.keys() - present.keys())),
        changed=tuple(sorted(file for file in wanted.keys() & present.keys() if wanted[file] != present[file])),
        removed=tuple(sorted(present.keys() - wanted.keys())),
    )


def write(directory: Path, wanted: Mapping[str, str], difference: Difference) -> None:
    """Make the files in ``directory`` what is wanted."""
    for file in (*difference.added, *difference.changed):
        path = directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[file], encoding="utf-8")
    for file in difference.removed:
        (directory / file).unlink()
