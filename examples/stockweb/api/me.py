"""``/me``: who asks, and what they may; ``/tokens``: what they give to their programs."""

from datetime import timedelta
from typing import Any

from django.http import Http404
from django.middleware.csrf import get_token
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.auth import IN_PERSON
from api.base import Resource, described, given
from api.errors import Problem
from people.models import Token
from people.roles import Role, role_of

#: Nobody has more programs than that; it keeps the list short.
MOST_TOKENS = 50


class PersonBody(serializers.Serializer):
    """Somebody who is logged in."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()


class MayBody(serializers.Serializer):
    """What a front end need not offer to somebody who may not do it."""

    change_stock = serializers.BooleanField(help_text="take, add, move, undo")
    change_parts = serializers.BooleanField(help_text="and boxes")
    change_definitions = serializers.BooleanField(help_text="types and attributes")
    change_people = serializers.BooleanField()


class MeBody(serializers.Serializer):
    """Who asks."""

    user = PersonBody(allow_null=True, help_text="null where nobody is logged in")
    role = serializers.ChoiceField(Role.choices, allow_null=True)
    may = MayBody()
    csrf_token = serializers.CharField(help_text="for the header X-CSRFToken; another one after logging in")


class TokenBody(serializers.Serializer):
    """A token, without the token itself."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="how it begins")
    scope = serializers.ChoiceField(Token.Scope.choices)
    created = serializers.DateTimeField()
    expires = serializers.DateTimeField(allow_null=True)
    last_used = serializers.DateTimeField(allow_null=True, help_text="within ten minutes")


class NewTokenBody(TokenBody):
    """A new token."""

    token = serializers.CharField(help_text="told this once and never again")


class TokensBody(serializers.Serializer):
    """One's tokens, the newest first."""

    items = TokenBody(many=True)


class TokenInput(serializers.Serializer):
    """A token to make."""

    name = serializers.CharField(max_length=80, help_text="what it is for")
    scope = serializers.ChoiceField(Token.Scope.choices, default=Token.Scope.READ)
    days = serializers.IntegerField(
        min_value=1, max_value=3650, allow_null=True, default=365, help_text="until it is over; null: never"
    )


_EXAMPLE = OpenApiExample("a scale", {"name": "scale on the bench", "scope": "write", "days": 90}, request_only=True)


class Me(Resource):
    """Who asks."""

    public = True

    @described("getMe", MeBody)
    def get(self, request: Request) -> Response:
        """Tell who is logged in, what they may, and the CSRF token of this session."""
        user, role = request.user, role_of(request.user)
        admin, keeper = role == Role.ADMIN, role in (Role.KEEPER, Role.ADMIN)
        body = {
            "user": {"id": user.pk, "name": user.get_username(), "email": user.email} if role else None,
            "role": role,
            "may": {
                "change_stock": keeper,
                "change_parts": keeper,
                "change_definitions": admin,
                "change_people": admin,
            },
            "csrf_token": get_token(request),
        }
        return Response(body, headers={"Cache-Control": "no-store"})


class Tokens(Resource):
    """One's tokens."""

    needs = {"GET": IN_PERSON, "POST": IN_PERSON}

    @described("listTokens", TokensBody)
    def get(self, request: Request) -> Response:
        """List one's tokens."""
        return Response({"items": [_token(each) for each in Token.objects.filter(user_id=request.user.pk)]})

    @described("createToken", NewTokenBody, status=201, body=TokenInput, refuses=[409], examples=[_EXAMPLE])
    def post(self, request: Request) -> Response:
        """Make a token. What it may is what its owner may, and only reading unless the scope is `write`."""
        values = given(TokenInput, request)
        if Token.objects.filter(user_id=request.user.pk).count() >= MOST_TOKENS:
            raise Problem(409, "too-many", f"you have {MOST_TOKENS} tokens: revoke one first")
        expires = None if values["days"] is None else timezone.now() + timedelta(days=values["days"])
        token, text = Token.make(request.user.pk, values["name"], values["scope"], expires)
        return Response(_token(token) | {"token": text}, status=201, headers={"Cache-Control": "no-store"})


class OneToken(Resource):
    """A token."""

    needs = {"DELETE": IN_PERSON}

    @described("revokeToken", status=204)
    def delete(self, request: Request, pk: int) -> Response:
        """Revoke a token, at once and for ever."""
        if not Token.objects.filter(pk=pk, user_id=request.user.pk).delete()[0]:
            raise Http404(f"you have no token {pk}")
        return Response(status=204)


def _token(token: Token) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "prefix": token.prefix,
        "scope": token.scope,
        "created": token.created,
        "expires": token.expires,
        "last_used": token.last_used,
    }
