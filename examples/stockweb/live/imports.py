"""``/ws/imports/ID``: how far an import is, to whoever started it and is logged in.

A message whenever something is new: what ``GET`` of the import answers as its progress. When it no longer goes on by
itself, the last message has its state, and the connection is closed with 1000.
"""

import asyncio
import json
import logging
import uuid
from typing import Any

from django.db import Error

from exchange import desk
from exchange.models import Import
from live.feed import INTERVAL, asked
from live.socket import POLICY_VIOLATION, TRY_AGAIN_LATER, Receive, Scope, Send, until_gone
from live.visitor import user_of

PREFIX = "/ws/imports/"
NORMAL = 1000
_WORKING = (Import.State.CHECKING, Import.State.COMMITTING)

logger = logging.getLogger(__name__)


async def progress(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection until the import stands still or the browser has gone."""
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    gone = asyncio.create_task(until_gone(receive))
    telling = asyncio.create_task(_tell(scope, send))
    try:
        await asyncio.wait({gone, telling}, return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            await send({"type": "websocket.close", "code": telling.result()})
    finally:
        for task in (gone, telling):
            task.cancel()
        await asyncio.gather(gone, telling, return_exceptions=True)


async def _tell(scope: Scope, send: Send) -> int:
    """Send what is new until nothing more will be; return the code to close with."""
    last: dict[str, Any] | None = None
    try:
        user = await asked(user_of, scope["headers"])
        while (now := await _now(scope["path"], user)) is not None:
            if now != last:
                await send({"type": "websocket.send", "text": json.dumps(now)})
            if now["state"] not in _WORKING:
                return NORMAL
            last = now
            await asyncio.sleep(INTERVAL)
    except Error as error:
        logger.warning("imports: %s", error)
        return TRY_AGAIN_LATER
    return POLICY_VIOLATION


async def _now(path: str, user: int | None) -> dict[str, Any] | None:
    try:
        pk = uuid.UUID(path.removeprefix(PREFIX))
    except ValueError:
        return None
    return None if user is None else await asked(desk.progress, pk, user)
