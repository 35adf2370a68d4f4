"""What is attached to parts. Changed by :mod:`attachments.desk` and the worker alone; the bytes are in the bucket."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from attachments.kinds import KINDS
from parts.models import Part


class Attachment(models.Model):
    """A datasheet or a photo of a part."""

    class State(models.TextChoices):
        """How far it is. Only what is *ready* can be looked at."""

        EXPECTED = "expected", "is waited for"
        DRAWING = "drawing", "is being drawn"
        READY = "ready", "is there"
        REFUSED = "refused", "was refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    part = models.ForeignKey(Part, models.CASCADE, related_name="attachments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=120, help_text="of the file")
    mime = models.CharField(max_length=40, choices=[(mime, mime) for mime in KINDS])
    size = models.PositiveIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the file as it was sent")
    #: S3's own mark of the object that was looked at: another one under its key is not taken for it.
    etag = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.EXPECTED)
    error = models.CharField(max_length=300, blank=True)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    created = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("created", "pk")
        indexes = (models.Index(fields=("part", "created"), name="attachment_by_part"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_photo(self) -> bool:
        """Whether it has a thumbnail, when it is ready."""
        return bool(KINDS[self.mime].picture)

    @property
    def incoming_key(self) -> str:
        """Where a browser puts it; whoever may put it may put another there until the permission ends."""
        return f"incoming/{self.pk}"

    @property
    def key(self) -> str:
        """Where it is when it was looked at, and nobody but us can write."""
        return f"files/{self.pk}"

    @property
    def thumbnail_key(self) -> str:
        """Where its thumbnail is."""
        return f"thumbnails/{self.pk}"

    @property
    def keys(self) -> list[str]:
        """Everything there may be of it."""
        return [self.incoming_key, self.key, self.thumbnail_key]
