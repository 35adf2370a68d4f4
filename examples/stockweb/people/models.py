"""Tokens, by which programs act for the people who made them."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

#: So that a token is known for one where it should not be: in a log, in a repository.
MARK = "swt_"
_SHOWN = len(MARK) + 6
#: Seconds that ``last_used`` may be late, which saves a write with every request.
_USED_EVERY = timedelta(minutes=10)


class Token(models.Model):
    """What a program shows instead of a password. The token itself is told once and kept nowhere, only its hash.

    It is 256 random bits, which nobody guesses or tries through; so a plain hash is as good as a slow one.
    """

    class Scope(models.TextChoices):
        """What it may, of what its owner may."""

        READ = "read"
        WRITE = "write"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=_SHOWN)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=5, choices=Scope, default=Scope.READ)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def make(cls, user_id: int, name: str, scope: str, expires: datetime | None) -> tuple["Token", str]:
        """Make one; return it and its text, which cannot be had again."""
        text = f"{MARK}{secrets.token_urlsafe(32)}"
        values = {"name": name, "scope": scope, "expires": expires, "prefix": text[:_SHOWN], "digest": digest(text)}
        return cls.objects.create(user_id=user_id, **values), text

    @classmethod
    def of(cls, text: str) -> "Token | None":
        """Return the token of a text with its user, unless it is over or the user is no longer let in. One query."""
        valid = Q(expires=None) | Q(expires__gt=timezone.now())
        return cls.objects.filter(valid, digest=digest(text), user__is_active=True).select_related("user").first()

    def used(self) -> None:
        """Note that it is used now, unless that was noted a moment ago."""
        now = timezone.now()
        if self.last_used is None or self.last_used < now - _USED_EVERY:
            Token.objects.filter(pk=self.pk).update(last_used=now)


def digest(text: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
