"""Part types, parts, and the attributes that a type gives its parts."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models.functions import Concat, Upper
from django.urls import reverse

from parts.quantity import QuantityError
from parts.reading import COLUMNS, catch_up, parse, read
from stockweb.tree import Tree, tree


class PartType(models.Model):
    """A kind of part, such as *Capacitor > Ceramic*."""

    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=60)
    designators = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="letters of its references in drawings, with spaces between them: D LED",
    )

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
        """Refuse a parent that lies below this type, and letters that mean another type."""
        types = type_tree()
        refuse_loop(self, types)
        for other in types.rows.values():
            taken = set(self.designators.upper().split()) & set(other.designators.upper().split())
            if other.pk != self.pk and taken:
                raise ValidationError({"designators": f"{taken.pop()} means {other}"})


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

    class Kind(models.TextChoices):
        """What its values are."""

        QUANTITY = "quantity", "quantity"
        RANGE = "range", "range"
        CHOICE = "choice", "choice"
        TEXT = "text", "text"
        BOOLEAN = "boolean", "yes or no"

    class Match(models.TextChoices):
        """Which values suit a requirement that says no more than a value."""

        EXACT = "exact", "exact, but for the tolerance"
        HIGHER = "higher", "higher is fine"
        LOWER = "lower", "lower is fine"
        COVERS = "covers", "covers what is asked for"
        ONE_OF = "one of", "one of those asked for"

    #: The first is meant where nothing is said.
    MATCHES: ClassVar = {
        Kind.QUANTITY: (Match.EXACT, Match.HIGHER, Match.LOWER),
        Kind.RANGE: (Match.COVERS,),
        Kind.CHOICE: (Match.ONE_OF,),
        Kind.TEXT: (Match.ONE_OF,),
        Kind.BOOLEAN: (Match.ONE_OF,),
    }

    part_type = models.ForeignKey(PartType, models.CASCADE, related_name="attributes")
    key = models.SlugField(max_length=40)
    label = models.CharField(max_length=60)
    unit = models.CharField(max_length=8, choices=Unit, blank=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.TEXT, db_default=Kind.TEXT)
    match = models.CharField(max_length=8, choices=Match, default=Match.ONE_OF, db_default=Match.ONE_OF)
    rel_tol = models.FloatField(
        "tolerance of exact",
        default=1e-6,
        db_default=1e-6,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="as a part of the value: 0.01 is 1 %",
    )
    choices = models.TextField(blank=True, default="", db_default="", help_text="one a line")
    required = models.BooleanField(default=False, db_default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "pk")
        constraints = (models.UniqueConstraint(fields=("part_type", "key"), name="attribute_key_once_per_type"),)

    def __str__(self) -> str:
        return self.label

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it, and read its values anew where they say something else now."""
        decisive = ("kind", "unit", "choices")
        before = AttributeDefinition.objects.filter(pk=self.pk).values_list(*decisive).first()
        with transaction.atomic():
            super().save(*args, **kwargs)
            if before not in (None, tuple(getattr(self, each) for each in decisive)):
                self.values.update(parsed="")
                catch_up(self.values.all())

    def clean(self) -> None:
        """Refuse a rule that does not go with the kind, choices that are none, and a key that a type above has."""
        allowed = self.MATCHES.get(self.Kind(self.kind), ()) if self.kind in self.Kind.values else ()
        if self.match not in allowed:
            names = " or ".join(f"“{each.label}”" for each in allowed)
            raise ValidationError({"match": f"parts are matched to a {self.get_kind_display()} by {names}"})
        if (self.kind == self.Kind.CHOICE) != bool(self.choices.strip()):
            raise ValidationError({"choices": "a choice has choices, one a line, and nothing else has any"})
        if self.part_type_id is not None:
            above = [each.pk for each in type_tree().path(self.part_type_id)[:-1]]
            if AttributeDefinition.objects.filter(part_type__in=above, key=self.key).exists():
                raise ValidationError({"key": f"a type above has an attribute “{self.key}”"})


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
    """One attribute of one part as it was typed (``4k7``, ``±1 %``, ``-40~125 °C``), and beside it what that says.

    Where nothing is said (no number and no word) the value is unknown: it could not be read.
    """

    part = models.ForeignKey(Part, models.CASCADE, related_name="values")
    definition = models.ForeignKey(AttributeDefinition, models.PROTECT, related_name="values")
    raw = models.CharField("value", max_length=80)
    #: The part's type, kept right by a trigger: it is what makes the indexes below selective.
    type = models.ForeignKey(
        PartType, models.DO_NOTHING, related_name="+", null=True, db_index=False, db_constraint=False, editable=False
    )
    num_lo = models.FloatField(null=True, editable=False)
    num_hi = models.FloatField(null=True, editable=False)
    tol_pct = models.FloatField(null=True, editable=False)
    text_value = models.TextField(default="", db_default="", editable=False)
    #: What the columns above were read from, see :mod:`parts.reading`.
    parsed = models.CharField(max_length=80, default="", db_default="", editable=False)

    class Meta:
        ordering = ("definition__position", "pk")
        constraints = (
            models.UniqueConstraint(fields=("part", "definition"), name="attribute_once_per_part"),
            models.CheckConstraint(
                condition=models.Q(num_lo__isnull=True, num_hi__isnull=True)
                | models.Q(num_lo__isnull=False, num_hi__isnull=False, num_lo__lte=models.F("num_hi")),
                name="attribute_from_low_to_high",
            ),
            models.CheckConstraint(condition=models.Q(tol_pct__gte=0), name="attribute_tolerance_not_negative"),
        )
        indexes = (
            models.Index(
                fields=("type", "definition", "num_lo"),
                include=("part", "num_hi"),
                condition=models.Q(num_lo__isnull=False),
                name="attribute_by_number",
            ),
            models.Index(
                fields=("type", "definition", "text_value"),
                include=("part",),
                condition=~models.Q(text_value=""),
                name="attribute_by_word",
            ),
        )

    def __str__(self) -> str:
        return f"{self.definition}: {self.raw}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it with what it says. Whoever writes many at once calls :func:`parts.reading.parse` for each."""
        parse(self)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], *COLUMNS}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Refuse an attribute of another type, and a value that cannot be read."""
        if self.definition_id is None or self.part.type_id is None:
            return
        if self.definition.part_type_id not in {each.pk for each in type_tree().path(self.part.type_id)}:
            raise ValidationError({"definition": f"{self.part.type} has no attribute “{self.definition}”"})
        try:
            read(self.definition, self.raw)
        except QuantityError as error:
            raise ValidationError({"raw": f"{self.definition}: {error}"}) from None


class SavedRequirement(models.Model):
    """What somebody looks for now and then, as they wrote it. Everybody may look at it, its owner changes it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="requirements")
    name = models.CharField(max_length=80)
    part_type = models.ForeignKey(PartType, models.CASCADE, related_name="+")
    wanted = models.JSONField(default=dict, help_text="text by the key of an attribute")
    package = models.CharField(max_length=40, blank=True)
    in_stock = models.BooleanField(default=False)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name", "pk")
        constraints = (models.UniqueConstraint(fields=("user", "name"), name="requirement_name_once_per_user"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address by which it is shared."""
        return reverse("requirement", args=(self.pk,))


def type_tree() -> Tree[PartType]:
    """Return all part types. One query."""
    return tree(PartType.objects.all())


def refuse_loop(row: models.Model, whole: Tree) -> None:
    """Raise ``ValidationError`` when a row's parent is the row itself or lies below it."""
    if row.pk is not None and row.parent_id is not None and row.parent_id in whole.within(row.pk):
        raise ValidationError({"parent": f"“{row}” cannot lie inside itself"})
