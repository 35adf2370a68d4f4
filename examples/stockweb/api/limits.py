"""How many requests one may make: 429 with ``Retry-After`` beyond that."""

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from stockweb.limits import address, over


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
