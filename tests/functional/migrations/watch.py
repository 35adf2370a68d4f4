"""What the locks of a migration do to the version that serves, seen while the migration is kept open."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.functional.migrations.project.manage import HELD

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.functional.migrations.stage import Answer, Site


@dataclass(frozen=True)
class Held:
    """What became of the version that serves while a migration of a case held its locks.

    ``waiting`` is the query that PostgreSQL says waits for the migration; ``hurried`` a request that waits for locks
    no longer than 50 ms; ``patient`` one that waits as long as it takes, answered when the migration was over.
    """

    waiting: str
    hurried: Answer
    patient: Answer


class Watchman:
    """Keeps the migrations of some cases open to their end, one after the other, until it has seen what they lock."""

    def __init__(self, site: Site, pages: dict[str, str]) -> None:
        """``pages``: for each case the page that is asked for meanwhile."""
        self.seen: dict[str, Held] = {}
        self._site = site
        self._pages = pages
        self._numbers = {number: case.name for number, case in enumerate(site.cases, 1) if case.name in pages}
        self._stop = threading.Event()
        self._connection = site.database()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        for number in self._numbers:
            self._connection.execute("SELECT pg_advisory_lock(%s, %s)", [HELD, number])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        with self._connection:  # whatever happens here, closing it lets every migration go on
            while not self._stop.wait(0.02):
                found = self._connection.execute(
                    "SELECT pid, objid::int FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND NOT granted",
                    [HELD],
                ).fetchone()
                if found is not None:
                    self._look(*found)

    def _look(self, migrating: int, number: int) -> None:
        case = self._numbers.pop(number)
        page = self._pages[case]
        hurried = self._site.ask(case, page, patience="50ms")
        with ThreadPoolExecutor(1) as pool:
            request = pool.submit(self._site.ask, case, page)
            try:
                waiting = self._waiting(migrating, case, request.done)
            finally:
                self._connection.execute("SELECT pg_advisory_unlock(%s, %s)", [HELD, number])
            self.seen[case] = Held(waiting, hurried, request.result())

    def _waiting(self, migrating: int, case: str, done: Callable[[], bool]) -> str:
        """Return a query of the web server on the case's table that waits for the migration; empty if none will."""
        until = time.monotonic() + 60
        while not done() and time.monotonic() < until:
            found = self._connection.execute(
                "SELECT query FROM pg_stat_activity WHERE application_name = 'web' AND %s = ANY(pg_blocking_pids(pid)) "
                "AND position(%s in query) > 0",
                [migrating, f'"{case}_part"'],
            ).fetchone()
            if found is not None:
                return str(found[0])
        return ""
