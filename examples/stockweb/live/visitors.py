"""Who may follow, where an installation is private. It blocks."""

from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

Headers = Iterable[tuple[bytes, bytes]]


def may_follow(headers: Headers) -> bool:
    """Whether the headers of a handshake are of somebody who is logged in, or anybody may look.

    A browser sends its cookies from whatever page asks; so the page must be one of this host or of the front end.
    """
    if not settings.PRIVATE:
        return True
    given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    origin = given.get("origin", "")
    if origin and origin not in settings.ORIGINS and origin.partition("://")[2] != given.get("host"):
        return False
    cookies = SimpleCookie()
    try:
        cookies.load(given.get("cookie", ""))
    except CookieError:
        return False
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    if session is None:
        return False
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session.value)
    return get_user(request).is_authenticated
