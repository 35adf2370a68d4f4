"""Where a redirect action sends a request. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.emulator.loadbalancing.model import Redirect

_KEYWORD = re.compile(r"#\{(protocol|host|port|path|query)\}")


def location(redirect: Redirect, *, protocol: str, host: str, port: int, target: str) -> str:
    """Return the Location header: all parts always named, as ALB does (``https://example.com:443/path?query``).

    ``host`` is the request's Host header (a port in it is dropped), ``target`` its path and query. The keyword
    ``#{path}`` stands for the path without its leading slash (elbv2 ``RedirectActionConfig``).
    """
    path, _, query = target.partition("?")
    parts = {
        "protocol": protocol,
        "host": re.sub(r":\d+$", "", host),
        "port": str(port),
        "path": path.removeprefix("/"),
        "query": query,
    }

    def fill(text: str) -> str:
        return _KEYWORD.sub(lambda keyword: parts[keyword[1]], text)

    search = fill(redirect.query)
    address = f"{fill(redirect.protocol)}://{fill(redirect.host)}:{fill(redirect.port)}{fill(redirect.path)}"
    return f"{address}?{search}" if search else address
