"""Imports, what was found in their lines, and what the columns of such files stand for."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Import(models.Model):
    """A file on its way into the stock. Changed by :mod:`exchange.desk` and the two that do its work alone."""

    class State(models.TextChoices):
        """How far it is. Work goes on by itself in *checking* and *committing*."""

        UPLOADED = "uploaded", "waits for its columns"
        CHECKING = "checking", "is being checked"
        CHECKED = "checked", "has been checked"
        COMMITTING = "committing", "is being imported"
        DONE = "done", "has been imported"
        FAILED = "failed", "has failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="imports")
    name = models.CharField(max_length=120, help_text="of the file")
    #: None when it was deleted, some days after the last that was done to it.
    content = models.BinaryField(null=True)
    sha256 = models.CharField(max_length=64)
    encoding = models.CharField(max_length=16)
    delimiter = models.CharField(max_length=1)
    header = models.JSONField()
    sample = models.JSONField(help_text="the first rows, by which people see what the columns are")
    columns = models.JSONField(help_text="what each column stands for")
    constants = models.JSONField(default=dict, help_text="what is said of all rows")
    state = models.CharField(max_length=12, choices=State, default=State.UPLOADED)
    #: Which dry run this is: what was queued for an earlier one does nothing.
    run = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField()
    checked = models.PositiveIntegerField(default=0, help_text="rows that were looked at")
    error = models.TextField(blank=True)
    created = models.DateTimeField(db_default=Now())
    touched = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-created", "pk")
        indexes = (models.Index(fields=("user", "-created"), name="import_by_user"),)

    def __str__(self) -> str:
        return self.name

    @property
    def working(self) -> bool:
        """Whether it goes on by itself."""
        return self.state in (self.State.CHECKING, self.State.COMMITTING)


class ImportLine(models.Model):
    """What one row would do. Positions are those of :attr:`exchange.table.Table.rows`."""

    class Verdict(models.TextChoices):
        """What becomes of the part."""

        CREATE = "create"
        UPDATE = "update"
        SAME = "same"
        ERROR = "error"

    of = models.ForeignKey(Import, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField(help_text="of the file, on which the row begins")
    verdict = models.CharField(max_length=6, choices=Verdict)
    #: The part that the row is about, see :mod:`exchange.planning`: rows that share it are about one part.
    identity = models.CharField(max_length=400)
    #: The part number that the part would have, with its manufacturer; nobody else in the file may claim it.
    number = models.CharField(max_length=400)
    box = models.BigIntegerField(null=True, help_text="the box that the row counts or fills")
    digest = models.CharField(max_length=64, help_text="of all that the row says of the part")
    notes = models.JSONField(help_text="for each cell that changes something or is wrong: column, before, after, error")
    plan = models.JSONField(null=True, help_text="what is to be written")

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("of", "position"), name="import_line_once"),)
        indexes = (
            models.Index(fields=("of", "verdict", "position"), name="import_line_by_verdict"),
            models.Index(fields=("of", "identity"), name="import_line_by_identity"),
            models.Index(fields=("of", "number"), condition=~models.Q(number=""), name="import_line_by_number"),
        )

    def __str__(self) -> str:
        return f"line {self.line}: {self.verdict}"


class ColumnChoice(models.Model):
    """What somebody said that the columns of a file stand for; proposed for the next file with that header."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    signature = models.CharField(max_length=64)
    columns = models.JSONField()
    constants = models.JSONField(default=dict)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "signature"), name="columns_once_per_header"),)

    def __str__(self) -> str:
        return self.signature
