"""Part types, parts, and the attributes that a type gives its parts."""

from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Concat, Upper
from django.urls import reverse

from stockweb.tree import Tree, tree


class PartType(models.Model):
    """A kind of part, such as *Capacitor > Ceramic*."""

    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=60)

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(fields=("parent", "name"), nulls_distinct=False, name="type_once_per_parent"),
            models.CheckConstraint(condition=~models.Q(parent=models.F("pk")), name="type_not_in_itself"),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the list of its parts."""
        return f"{reverse('part-list')}?type={self.pk}"

    def clean(self) -> None:
        """Refuse a parent that lies below this type."""
        refuse_loop(self, type_tree())


class AttributeDefinition(models.Model):
    """What parts of a type (and of the types below it) are described by: *Resistance*, *Tolerance*."""

    class Unit(models.TextChoices):
        """Base units only: a value carries its own prefix, as in ``4k7``."""

        NONE = "", "no unit"
        OHM = "ohm", "Ω"
        FARAD = "F", "F"
        HENRY = "H", "H"
        VOLT = "V", "V"
        AMPERE = "A", "A"
        WATT = "W", "W"
        HERTZ = "Hz", "Hz"
        SECOND = "s", "s"
        METRE = "m", "m"
        CELSIUS = "degC", "°C"
        PERCENT = "%", "%"
        BYTE = "B", "B"
        COUNT = "count", "count"

    part_type = models.ForeignKey(PartType, models.CASCADE, related_name="attributes")
    key = models.SlugField(max_length=40)
    label = models.CharField(max_length=60)
    unit = models.CharField(max_length=8, choices=Unit, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "pk")
        constraints = (models.UniqueConstraint(fields=("part_type", "key"), name="attribute_key_once_per_type"),)

    def __str__(self) -> str:
        return self.label


class Part(models.Model):
    """A part that can be bought under one number. How many there are is the business of :mod:`stock`."""

    type = models.ForeignKey(PartType, models.PROTECT, related_name="parts")
    name = models.CharField(max_length=120)
    mpn = models.CharField("part number", max_length=80, blank=True, help_text="the manufacturer's part number")
    manufacturer = models.CharField(max_length=80, blank=True)
    description = models.TextField(blank=True)
    package = models.CharField(max_length=40, blank=True, help_text="0805, TO-92, DIP-8, ...")
    tags = models.CharField(max_length=200, blank=True, help_text="words, with spaces between them")
    min_qty = models.PositiveIntegerField("minimum stock", default=0, help_text="0: any stock is enough")
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)
    #: What a search looks at, in capitals: one trigram index serves all five fields, for any part of a word.
    search = models.GeneratedField(
        expression=Upper(
            Concat(
                "name",
                models.Value(" "),
                "mpn",
                models.Value(" "),
                "manufacturer",
                models.Value(" "),
                "description",
                models.Value(" "),
                "tags",
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("mpn", "manufacturer"), condition=~models.Q(mpn=""), name="part_number_once_per_manufacturer"
            ),
        )
        indexes = (
            models.Index(fields=("name", "id"), name="part_by_name"),
            models.Index(fields=("type", "name", "id"), name="part_by_type_and_name"),
            models.Index(fields=("id",), condition=models.Q(min_qty__gt=0), name="part_with_minimum"),
            GinIndex(fields=("search",), opclasses=("gin_trgm_ops",), name="part_search"),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the part's own page."""
        return reverse("part-detail", args=(self.pk,))


class AttributeValue(models.Model):
    """One attribute of one part, as it was typed: ``4k7``, ``±1 %``, ``-40~125 °C``."""

    part = models.ForeignKey(Part, models.CASCADE, related_name="values")
    definition = models.ForeignKey(AttributeDefinition, models.PROTECT, related_name="values")
    raw = models.CharField("value", max_length=80)

    class Meta:
        ordering = ("definition__position", "pk")
        constraints = (models.UniqueConstraint(fields=("part", "definition"), name="attribute_once_per_part"),)

    def __str__(self) -> str:
        return f"{self.definition}: {self.raw}"

    def clean(self) -> None:
        """Refuse an attribute of another type."""
        if self.definition_id is None or self.part.type_id is None:
            return
        if self.definition.part_type_id not in {each.pk for each in type_tree().path(self.part.type_id)}:
            raise ValidationError({"definition": f"{self.part.type} has no attribute “{self.definition}”"})


def type_tree() -> Tree[PartType]:
    """Return all part types. One query."""
    return tree(PartType.objects.all())


def refuse_loop(row: models.Model, whole: Tree) -> None:
    """Raise ``ValidationError`` when a row's parent is the row itself or lies below it."""
    if row.pk is not None and row.parent_id is not None and row.parent_id in whole.within(row.pk):
        raise ValidationError({"parent": f"“{row}” cannot lie inside itself"})
