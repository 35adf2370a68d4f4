"""Pages for visitors who are not logged in, kept in memory for a few seconds.

Building a list of parts is some milliseconds of work that is the same for every visitor. Whoever is logged in always
sees the stock as it is; a visitor may see it as it was five seconds ago.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

View = Callable[..., HttpResponse]

#: Whoever sends one of these may see something of their own on a page.
_PERSONAL = frozenset({settings.SESSION_COOKIE_NAME, CookieStorage.cookie_name})


def briefly_kept(view: View) -> View:
    """Answer visitors from the cache ``pages`` of this process; its timeout says for how long."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if _PERSONAL & request.COOKIES.keys():
            return view(request, *args, **kwargs)
        pages, key = caches["pages"], request.get_full_path()
        content = pages.get(key)
        if content is not None:
            response = HttpResponse(content)
        else:
            response = view(request, *args, **kwargs)
            if response.status_code == 200:
                pages.set(key, response.content)
        patch_vary_headers(response, ("Cookie",))
        return response

    return answer
