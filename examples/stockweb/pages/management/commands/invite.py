"""``manage.py invite alice``: let somebody in without a password in any log or process list."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.management import BaseCommand, CommandError
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from people.roles import NoAdminLeft, Role, give


class Command(BaseCommand):
    """See ``help``."""

    help = "Makes a user, or takes one that exists, and prints a link with which they set their password once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name, role, and where a link goes when they have forgotten their password."""
        parser.add_argument("name")
        parser.add_argument("--email", help="for setting the password anew")
        role = parser.add_mutually_exclusive_group()
        role.add_argument("--role", choices=Role.values, help="keeper, unless told; of a known user, as it is")
        role.add_argument("--admin", action="store_const", dest="role", const=Role.ADMIN.value, help="--role admin")

    def handle(self, *, name: str, email: str | None, role: str | None, **_options: Any) -> None:
        """Do it."""
        user, new = User.objects.get_or_create(username=name)
        if new:
            user.set_unusable_password()
        if email:
            user.email = email
        user.save()
        if new or role:
            try:
                give(user, Role(role or Role.KEEPER))
            except NoAdminLeft as error:
                raise CommandError(f"{error}") from None
        person = urlsafe_base64_encode(force_bytes(user.pk))
        link = reverse("set-password", args=(person, default_token_generator.make_token(user)))
        minutes = settings.PASSWORD_RESET_TIMEOUT // 60
        self.stdout.write(
            f"{'new' if new else 'known'} user {name}; on this site, good once and for {minutes} minutes:"
        )
        self.stdout.write(link)
