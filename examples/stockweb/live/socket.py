"""``/ws/movements``: every movement of the stock, in order, to whoever follows. Whoever may look at the pages may.

The first message is ``{"position": N}``, then comes an event a message, each with its position. ``?after=N`` begins
with the events after a position: a browser that was cut off asks for those after the last one that it saw, and so
misses none, whichever process it meets then. Without ``after`` it begins with what comes next.

A process that is told to stop closes with 1012, *service restart* (uvicorn does that). A load balancer that cuts a
connection says nothing, which browsers report as 1006. So any end but 1008 is a reason to come back.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from django.db import Error

from live import events
from live.feed import Feed, asked
from live.visitors import may_follow

PATH = "/ws/movements"
#: Close codes (RFC 6455, 7.4.1, and IANA's registry): a request that makes no sense, and one to be made again later.
POLICY_VIOLATION = 1008
TRY_AGAIN_LATER = 1013

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

logger = logging.getLogger(__name__)


async def movements(scope: Scope, receive: Receive, send: Send, feed: Feed) -> None:
    """Serve one connection until the browser ends it or this process is told to stop."""
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    code = POLICY_VIOLATION
    given = asked_for(scope["query_string"]) if scope["path"] == PATH else None
    if given is not None:
        try:
            allowed = await asked(may_follow, scope["headers"])
            newest = await asked(events.newest)
        except Error as error:
            logger.warning("events: %s", error)
            code = TRY_AGAIN_LATER
        else:
            # A position that no event has yet is of another database: whoever has it should begin anew.
            if allowed and given <= newest:
                await _follow(newest if given < 0 else given, receive, send, feed)
                return
    await send({"type": "websocket.close", "code": code})


def asked_for(query: bytes) -> int | None:
    """Return the position in a query string, -1 where there is none, and None where it makes no sense."""
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("after", [""])[-1]
    if not given:
        return -1
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


async def _follow(position: int, receive: Receive, send: Send, feed: Feed) -> None:
    await send({"type": "websocket.send", "text": json.dumps({"position": position})})
    gone = asyncio.create_task(until_gone(receive))
    telling = asyncio.create_task(_tell(position, send, feed))
    try:
        await asyncio.wait({gone, telling}, return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            telling.result()  # raises what went wrong
    finally:
        for task in (gone, telling):
            task.cancel()
        await asyncio.gather(gone, telling, return_exceptions=True)


async def until_gone(receive: Receive) -> None:
    """Return when the browser has gone."""
    while (await receive())["type"] != "websocket.disconnect":
        pass  # nothing that a browser says is of interest


async def _tell(position: int, send: Send, feed: Feed) -> None:
    while True:
        try:
            found = await feed.after(position)
        except Error as error:
            logger.warning("events: %s", error)
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
            return
        for event in found:
            await send({"type": "websocket.send", "text": event.text})
            position = event.position
