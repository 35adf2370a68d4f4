"""Who asks, and whether they may.

A program shows a token (``Authorization: Bearer swt_...``), a browser its session and, to change something, the CSRF
token that ``GET /api/v1/me`` tells it (``X-CSRFToken``). A view says by ``needs`` which permission each method wants;
reading is open to everybody unless it says otherwise or the installation is private.
"""

from typing import Any

from django.conf import settings
from rest_framework import permissions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.views import APIView

from api.errors import Problem
from people.models import Token

#: In place of a permission: whoever is logged in, and whoever is so in a browser and not by a token.
LOGGED_IN = "logged in"
IN_PERSON = "in person"


class ByToken(BaseAuthentication):
    """``Authorization: Bearer <token>``."""

    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        """Return the owner of the token; refuse one that is wrong, over or revoked."""
        scheme, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = Token.of(text.strip())
        if token is None:
            raise AuthenticationFailed("this token is not valid, or no longer")
        token.used()
        return token.user, token

    def authenticate_header(self, _request: Request) -> str:
        """Return what a 401 asks for."""
        return 'Bearer realm="stockweb"'


class BySession(SessionAuthentication):
    """The session of a browser, with Django's CSRF check."""


class Allowed(permissions.BasePermission):
    """What the view's ``needs`` says."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether whoever asks may; raises a problem that says what is missing."""
        if request.method == "OPTIONS" or not hasattr(view, request.method.lower()):
            return True  # which says what may be, and 405
        safe = request.method in permissions.SAFE_METHODS
        needed = getattr(view, "needs", {}).get("GET" if safe else request.method)
        if needed is None and safe and not (settings.PRIVATE and not getattr(view, "public", False)):
            return True
        if not request.user.is_authenticated:
            return False  # 401
        token = request.auth
        if needed == IN_PERSON and token is not None:
            raise Problem(403, "not-by-token", "this is done in a browser, not by a token")
        if not safe and token is not None and token.scope != Token.Scope.WRITE:
            raise Problem(403, "read-only-token", "this token may only read")
        if needed in (LOGGED_IN, IN_PERSON) or (safe and needed is None):
            return True
        assert needed is not None, f"{type(view).__name__} does not say what {request.method} needs"
        if not request.user.has_perm(needed):
            raise Problem(403, "role", f"your role does not include this ({needed})")
        return True
