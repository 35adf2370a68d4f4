"""``manage.py invite alice``: let somebody in without a password in any log or process list."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.management import BaseCommand
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode


class Command(BaseCommand):
    """See ``help``."""

    help = "Makes a user, or takes one that exists, and prints a link with which they set their password once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name, and whether they may use the admin."""
        parser.add_argument("name")
        parser.add_argument("--admin", action="store_true", help="may use Django's admin, for everything in it")

    def handle(self, *, name: str, admin: bool, **_options: Any) -> None:
        """Do it."""
        user, new = User.objects.get_or_create(username=name)
        if new:
            user.set_unusable_password()
        if admin:
            user.is_staff = user.is_superuser = True
        user.save()
        person = urlsafe_base64_encode(force_bytes(user.pk))
        link = reverse("set-password", args=(person, default_token_generator.make_token(user)))
        minutes = settings.PASSWORD_RESET_TIMEOUT // 60
        self.stdout.write(
            f"{'new' if new else 'known'} user {name}; on this site, good once and for {minutes} minutes:"
        )
        self.stdout.write(link)
