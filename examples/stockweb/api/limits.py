"""How many requests a minute one may make: counted in the cache, for all processes together.

A minute is a minute of the clock. Where the cache does not answer nobody is counted: a limit protects the service and
must not be what stops it.
"""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

WINDOW = 60

logger = logging.getLogger(__name__)


def over(name: str, limit: int, *, clock: Callable[[], float] = time.time) -> int:
    """Count one more of ``name``; return 0 where the limit is kept, else the seconds until counting begins anew."""
    if limit <= 0:
        return 0
    window, passed = divmod(int(clock()), WINDOW)
    key = f"limit:{name}:{window}"
    try:
        cache.add(key, 0, 2 * WINDOW)
        count = cache.incr(key)
    except (RedisError, OSError, ValueError) as error:  # ValueError: the key went between the two
        logger.warning("limits: %s", error)
        return 0
    return WINDOW - passed if count > limit else 0


def address(request: HttpRequest) -> str:
    """Return the client's address: in X-Forwarded-For, the one that the outermost of our own proxies heard from."""
    heard = [each.strip() for each in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if each.strip()]
    if settings.PROXIES and len(heard) >= settings.PROXIES:
        return heard[-settings.PROXIES][:64]
    return request.META.get("REMOTE_ADDR", "")


class Requests(BaseThrottle):
    """Requests to the API, by token, by user, or by address."""

    def allow_request(self, request: Request, _view: APIView) -> bool:
        """Whether it is within the limit; else raises with the seconds to wait."""
        if request.auth is not None:
            who, kind = f"{request.auth.pk}", "token"
        elif request.user.is_authenticated:
            who, kind = f"{request.user.pk}", "user"
        else:
            who, kind = address(request), "anonymous"
        wait = over(f"{kind}:{who}", settings.API_LIMITS[kind])
        if wait:
            raise Throttled(wait)
        return True
