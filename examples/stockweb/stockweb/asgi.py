"""The ASGI entry point, for what WSGI cannot: ``uvicorn stockweb.asgi:application`` serves :mod:`live` and the probes.

What is missing or broken must end the process when it starts, as with :mod:`stockweb.wsgi`.
"""

import asyncio
import os
from contextlib import suppress

from django.core.asgi import get_asgi_application

from stockweb.environment import require

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stockweb.settings")

require("SECRET_KEY", "set the environment variable DJANGO_SECRET_KEY")
pages = get_asgi_application()

from live import imports  # noqa: E402 - models can be read only now
from live.feed import Feed  # noqa: E402
from live.socket import Receive, Scope, Send, movements  # noqa: E402


class Application:
    """Serves HTTP as Django does, and WebSockets from one feed, which lives as long as the server."""

    def __init__(self) -> None:
        self._feed: Feed | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, one connection, or (the scope ``lifespan``) the server's own life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            assert self._feed is not None, "the server must call the lifespan scope (uvicorn: --lifespan on)"
            if scope["path"].startswith(imports.PREFIX):
                await imports.progress(scope, receive, send)
            else:
                await movements(scope, receive, send, self._feed)
        else:
            await pages(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        self._feed = Feed()
        reading = asyncio.create_task(self._feed.run())
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        await send({"type": "lifespan.shutdown.complete"})


application = Application()
