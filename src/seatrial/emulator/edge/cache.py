"""What an edge has kept of its origin's answers, and what invalidations take away from it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seatrial.emulator.edge.model import Answer

Key = tuple[object, ...]


@dataclass(frozen=True)
class Entry:
    """One answer, asked for at ``at`` and good for ``lifetime`` seconds.

    ``paths`` are those that an invalidation must name to take it away, all of them: AWS does not document by which
    of two paths an edge keeps the default root object or an error page, so neither alone is enough here.
    """

    answer: Answer
    paths: tuple[str, ...]
    at: float
    lifetime: float
    error: bool = False

    def fresh(self, now: float) -> bool:
        """Whether it may be given without asking the origin."""
        return now - self.at < self.lifetime

    def again(self, confirmed: Answer, now: float, lifetime: float) -> Entry:
        """Return it as the origin has confirmed it now: the same body, under the headers of the confirmation."""
        return replace(self, answer=replace(self.answer, headers=confirmed.headers), at=now, lifetime=lifetime)


class Cache:
    """One for each distribution; all of its edges are one here. Safe from any thread.

    ``due`` returns the paths of invalidations that have been completed since it was last asked.
    """

    def __init__(self, due: Callable[[], Iterable[tuple[str, ...]]]) -> None:
        self._due = due
        self._lock = threading.Lock()
        self._entries: dict[Key, Entry] = {}

    def get(self, key: Key) -> Entry | None:
        """Return what is kept under a key, fresh or not."""
        with self._lock:
            for batch in self._due():
                self._remove(batch)
            return self._entries.get(key)

    def put(self, key: Key, entry: Entry) -> None:
        """Keep an answer."""
        with self._lock:
            self._entries[key] = entry

    def _remove(self, batch: tuple[str, ...]) -> None:
        self._entries = {
            key: entry
            for key, entry in self._entries.items()
            if not all(any(covers(each, path) for each in batch) for path in entry.paths)
        }


def covers(invalidated: str, path: str) -> bool:
    """Whether a path of an invalidation is that of an object; a ``*`` at its end stands for anything."""
    if invalidated.endswith("*"):
        return path.startswith(invalidated[:-1])
    return path == invalidated
