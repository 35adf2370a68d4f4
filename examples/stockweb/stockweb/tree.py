"""Rows that name their parent, as a tree: part types and boxes. There are some hundreds of them at most."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Row(Protocol):
    """What has a place in a tree."""

    pk: int
    parent_id: int | None


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Tree(Generic[R]):
    """Rows by id, and the children of each; those of ``None`` are the roots. Children keep the order of the rows."""

    rows: dict[int, R]
    children: dict[int | None, list[R]]

    def walk(self, parent: int | None = None, depth: int = 0) -> Iterator[tuple[int, R]]:
        """Yield every row below ``parent`` with its depth, parents before their children."""
        for row in self.children.get(parent, ()):
            yield depth, row
            yield from self.walk(row.pk, depth + 1)

    def within(self, pk: int) -> list[int]:
        """Return the ids of a row and of all below it."""
        return [pk, *(row.pk for _, row in self.walk(pk))]

    def path(self, pk: int) -> list[R]:
        """Return the rows from the root down to this one."""
        found: list[R] = []
        above: int | None = pk
        while above is not None:
            found.append(self.rows[above])
            above = self.rows[above].parent_id
        return found[::-1]


def tree(rows: Iterable[R]) -> Tree[R]:
    """Arrange rows as a tree."""
    by_id: dict[int, R] = {}
    children: dict[int | None, list[R]] = defaultdict(list)
    for row in rows:
        by_id[row.pk] = row
        children[row.parent_id].append(row)
    return Tree(by_id, dict(children))
