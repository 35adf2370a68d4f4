"""``/people``: who is let in and in which role. For admins."""

from typing import Any

from django.contrib.auth.models import User
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, asked, described, given
from api.paging import PageQuery, page, page_of
from people import roles
from people.log import CHANGED, note
from people.roles import Role, role_of, with_roles


class UserBody(serializers.Serializer):
    """Somebody."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()
    role = serializers.ChoiceField(Role.choices, allow_null=True, help_text="null for whoever is not let in")
    active = serializers.BooleanField(help_text="whether they may log in")
    last_login = serializers.DateTimeField(allow_null=True)


class UserInput(serializers.Serializer):
    """What an admin changes of somebody."""

    role = serializers.ChoiceField(Role.choices)
    active = serializers.BooleanField()


class People(Resource):
    """Everybody."""

    needs = {"GET": "auth.view_user"}

    @described("listPeople", page_of(UserBody), query=PageQuery)
    def get(self, request: Request) -> Response:
        """List everybody, by name."""
        query = asked(PageQuery, request)
        people = User.objects.all()
        return Response(page(people, ("username",), query, lambda found: [_body(each) for each in with_roles(found)]))


class OnePerson(Resource):
    """Somebody."""

    needs = {"PATCH": "auth.change_user"}

    @described("updatePerson", UserBody, body=UserInput, refuses=[409])
    def patch(self, request: Request, pk: int) -> Response:
        """Give a role, or let somebody in or no longer. One admin has to remain."""
        values = given(UserInput, request, partial=True)
        user = User.objects.filter(pk=pk).first()
        if user is None:
            raise Http404(f"there is no user {pk}")
        if "active" in values:
            roles.let_in(user, active=values["active"])
        if "role" in values:
            roles.give(user, Role(values["role"]))
        note(request.user, user, CHANGED, values)
        return Response(_body(User.objects.get(pk=pk)))


def _body(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "name": user.get_username(),
        "email": user.email,
        "role": role_of(user),
        "active": user.is_active,
        "last_login": user.last_login,
    }
