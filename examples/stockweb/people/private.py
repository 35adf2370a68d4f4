"""Installations that only people who are logged in may look at (``STOCKWEB_PRIVATE=1``)."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse

#: What has an answer of its own for strangers: the API's 401, logging in, the probes, the metrics' own token.
_OPEN = ("/api/", "/_allauth/", "/accounts/", "/livez", "/health/ready", "/metrics")


class Private(LoginRequiredMiddleware):
    """Sends visitors to the login, where the installation is private."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponse | None:
        """Let the view answer, or say where to log in."""
        if not settings.PRIVATE or request.path.startswith(_OPEN):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)
