"""Who opened a WebSocket: the same session as that of the pages. They block."""

from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

Headers = Iterable[tuple[bytes, bytes]]


def user_of(headers: Headers) -> int | None:
    """Return the id of the user whose session a browser has, None where it has none, or is on another site's page.

    A browser sends the cookie whatever page opens the WebSocket, so the page's origin is looked at as well.
    """
    given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    if not _of_this_site(given.get("origin"), given.get("host", "")):
        return None
    try:
        cookie = SimpleCookie(given.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(cookie.value if cookie else None)
    return get_user(request).pk


def _of_this_site(origin: str | None, host: str) -> bool:
    return origin is None or urlsplit(origin).netloc == host or origin in settings.CSRF_TRUSTED_ORIGINS
