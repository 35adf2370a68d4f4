"""One health check of one target, as a load balancer's health checker makes it."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

from seatrial.emulator.loadbalancing import wire
from seatrial.emulator.loadbalancing.health import TIMED_OUT, UNREACHABLE, Failure, matches, wrong_status

if TYPE_CHECKING:
    from seatrial.emulator.loadbalancing.model import Backend
    from seatrial.emulator.loadbalancing.snapshot import HealthCheck

USER_AGENT = "ELB-HealthChecker/2.0"


async def probe(target: Backend, check: HealthCheck) -> Failure | None:
    """Return what is wrong, or None for a success.

    The Host header is the target's own address and port, as an ALB sends it (which is why Django's ``ALLOWED_HOSTS``
    matters); certificates are not verified; a check by TCP only connects.
    """
    try:
        async with asyncio.timeout(check.timeout):
            return await _probe(target, check)
    except TimeoutError:
        return TIMED_OUT
    except (OSError, wire.WireError, ValueError):  # ValueError: a status that is no number
        return UNREACHABLE


async def _probe(target: Backend, check: HealthCheck) -> Failure | None:
    port = check.port or target.port
    secured = _trusting() if check.protocol in ("HTTPS", "TLS") else None
    reader, writer = await asyncio.open_connection(target.address, port, ssl=secured, limit=wire.HEAD_LIMIT)
    try:
        if check.protocol not in ("HTTP", "HTTPS"):
            return None
        fields = [
            ("Host", f"{target.address}:{port}"),
            ("Connection", "close"),
            ("User-Agent", USER_AGENT),
            ("Accept-Encoding", "gzip, compressed"),
        ]
        writer.write(wire.encode_head(f"GET {check.path} HTTP/1.1", fields))
        head = await wire.read_head(reader)
        if head is None or not head.start[0].startswith("HTTP/"):
            return UNREACHABLE
        status = int(head.start[1])
        async for _ in wire.payload(reader, wire.response_framing(head, "GET")):
            pass
        return None if matches(check.matcher, status) else wrong_status(status)
    finally:
        writer.close()
        with suppress(OSError):  # the outcome is known; how the connection ends says nothing more
            await writer.wait_closed()


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
