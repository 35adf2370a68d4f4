"""One reader for all connections of a process.

It asks the database for new events twice a second: one query on a primary key, however many browsers follow. Nothing
has to be subscribed to, so a database that fails over costs some seconds and no event.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import Error, close_old_connections

from live import events
from live.events import Told

#: Seconds between two looks at the database.
INTERVAL = 0.5
#: The newest events, kept for those who come back soon: after a release, all at once.
KEPT = 1000

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


async def asked(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Ask the database in a thread, on a connection that is no older than a request's would be."""

    def ask() -> T:
        close_old_connections()
        return question(*args, **kwargs)

    return await sync_to_async(ask)()


class Feed:
    """What followers wait for. Made and used on one event loop."""

    def __init__(self) -> None:
        self._kept: deque[Told] = deque(maxlen=KEPT)
        self._floor = 0  # all events after this position and up to the newest are kept
        self._newest: int | None = None
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Read for ever. A database that does not answer is asked again."""
        while True:
            try:
                await self._read()
            except Error as error:
                logger.warning("events: %s", error)
            await asyncio.sleep(INTERVAL)

    async def after(self, position: int) -> Sequence[Told]:
        """Wait until there are events after a position; return them in order, from the first on."""
        while self._newest is None or self._newest <= position:
            await self._news.wait()
        if position < self._floor:
            return await asked(events.after, position)
        return [each for each in self._kept if each.position > position]

    async def _read(self) -> None:
        if self._newest is None:
            self._floor = self._newest = await asked(events.newest)
            return
        found = await asked(events.after, self._newest)
        for event in found:
            if len(self._kept) == KEPT:
                self._floor = self._kept[0].position
            self._kept.append(event)
            self._newest = event.position
        if found:
            self._news.set()  # wakes whoever waits now
            self._news.clear()
