"""Projects, the lines of their bills of material, what was chosen for such lines before, and what was built."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now

from parts.models import Part, PartType


class Project(models.Model):
    """Something that is built, one or several boards at a time."""

    name = models.CharField(max_length=120, unique=True)
    boards = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)], help_text="to be built next")
    notes = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name", "pk")
        constraints = (models.CheckConstraint(condition=models.Q(boards__gte=1), name="project_builds_something"),)

    def __str__(self) -> str:
        return self.name


class BomLine(models.Model):
    """What a board needs so many of: as the drawing says it, and the requirement that was read from that.

    ``unclear`` says why no requirement could be read. A part that somebody chose comes before all of it.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(help_text="its line in the file")
    refs = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    quantity = models.PositiveIntegerField("for a board", validators=[MinValueValidator(1)])
    value = models.CharField(max_length=120, blank=True)
    footprint = models.CharField(max_length=160, blank=True)
    mpn = models.CharField("part number", max_length=80, blank=True)
    sku = models.CharField("order number", max_length=80, blank=True)
    dnp = models.BooleanField("not placed", default=False)
    part_type = models.ForeignKey(PartType, models.SET_NULL, null=True, blank=True, related_name="+")
    wanted = models.JSONField(default=dict, blank=True, help_text="text by the key of an attribute")
    package = models.CharField(max_length=40, blank=True)
    unclear = models.CharField(max_length=300, blank=True)
    chosen = models.ForeignKey(Part, models.SET_NULL, null=True, blank=True, related_name="bom_lines")

    class Meta:
        ordering = ("project", "position", "pk")
        constraints = (models.CheckConstraint(condition=models.Q(quantity__gte=1), name="line_of_something"),)

    def __str__(self) -> str:
        return f"{', '.join(self.refs) or self.position}: {self.value or self.mpn}"


class Remembered(models.Model):
    """The part that was chosen for a value in a footprint, so that nobody has to choose it for the next project."""

    value = models.CharField(max_length=120)
    footprint = models.CharField(max_length=160, blank=True)
    part = models.ForeignKey(Part, models.CASCADE, related_name="+")

    class Meta:
        ordering = ("value", "footprint")
        constraints = (models.UniqueConstraint(fields=("value", "footprint"), name="one_choice_to_remember"),)

    def __str__(self) -> str:
        return f"{self.value} in {self.footprint}: {self.part}"


class Build(models.Model):
    """Boards that were built. What that took are the movements whose ``move_id`` is its key."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="builds")
    boards = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    key = models.UUIDField(unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-pk",)
        constraints = (models.CheckConstraint(condition=models.Q(boards__gte=1), name="build_of_something"),)

    def __str__(self) -> str:
        return f"{self.boards} × {self.project}"
