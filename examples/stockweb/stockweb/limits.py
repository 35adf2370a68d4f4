"""How often a minute one may do something: counted in the cache, for all processes together.

A minute is a minute of the clock. Where the cache does not answer nobody is counted: a limit protects the service and
must not be what stops it.
"""

import hashlib
import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

WINDOW = 60

logger = logging.getLogger(__name__)


def over(name: str, limit: int, *, clock: Callable[[], float] = time.time) -> int:
    """Count one more of ``name``; return 0 where the limit is kept, else the seconds until counting begins anew."""
    if limit <= 0:
        return 0
    window, passed = divmod(int(clock()), WINDOW)
    # Names come from outside; a hash is always a key that a cache takes.
    key = f"limit:{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:32]}:{window}"
    try:
        count = _one_more(key)
    except (RedisError, OSError) as error:
        logger.warning("limits: %s", error)
        return 0
    return WINDOW - passed if count > limit else 0


def _one_more(key: str) -> int:
    try:
        return int(cache.incr(key))
    except ValueError:  # it is the first of this minute, or was until a moment ago
        return 1 if cache.add(key, 1, 2 * WINDOW) else int(cache.incr(key))


def address(request: HttpRequest) -> str:
    """Return the client's address: in X-Forwarded-For, the one that the outermost of our own proxies heard from."""
    heard = [each.strip() for each in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if each.strip()]
    if settings.PROXIES and len(heard) >= settings.PROXIES:
        return heard[-settings.PROXIES][:64]
    return request.META.get("REMOTE_ADDR", "")
