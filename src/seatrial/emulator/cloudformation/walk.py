"""Visiting a graph with threads: each node after those it needs, independent ones side by side."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Resources of one stack under work at the same time. Most wait for a service; calls to one service take turns.
WIDTH = 16


def walk(
    needed: Mapping[str, frozenset[str]],
    visit: Callable[[str], bool],
    *,
    halt: threading.Event | None = None,
    width: int = WIDTH,
) -> list[str]:
    """Call ``visit`` for every node after all it needs; return those for which it was not true, in order of failure.

    What needs a failed node is not visited. With ``halt``, the first failure sets it, and once it is set nothing new is
    begun. An
    exception out of ``visit`` is raised here once all visits have ended.
    """
    walker = _Walker(needed, visit, halt, width)
    return walker.run()


class _Walker:
    def __init__(
        self,
        needed: Mapping[str, frozenset[str]],
        visit: Callable[[str], bool],
        halt: threading.Event | None,
        width: int,
    ) -> None:
        self._needed, self._visit, self._halt, self._width = needed, visit, halt, width
        self._changed = threading.Condition()
        self._done: set[str] = set()
        self._running: set[str] = set()
        self._failed: list[str] = []
        self._error: BaseException | None = None

    def run(self) -> list[str]:
        left = list(self._needed)
        with self._changed:
            while True:
                halted = self._error is not None or bool(self._halt and (self._failed or self._halt.is_set()))
                ready = [] if halted else [name for name in left if self._needed[name] <= self._done]
                for name in ready[: self._width - len(self._running)]:
                    left.remove(name)
                    self._running.add(name)
                    threading.Thread(target=self._one, args=(name,), daemon=True).start()
                if not self._running:
                    break
                self._changed.wait()
        if self._error:
            raise self._error
        return self._failed

    def _one(self, name: str) -> None:
        error: BaseException | None = None
        fine = False
        try:
            fine = self._visit(name)
        except Exception as raised:  # noqa: BLE001  # handed to the thread that waits, which raises it
            error = raised
        with self._changed:
            self._running.discard(name)
            if fine:
                self._done.add(name)
            else:
                self._failed.append(name)
                if self._halt:
                    self._halt.set()
            self._error = self._error or error
            self._changed.notify_all()
