"""Boxes, lots and movements.

A lot's quantity and the movements are written by :mod:`stock.ledger` alone: the quantity is a balance of the movements,
the database refuses a negative one, and a trigger refuses to change or delete a movement.
"""

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse

from parts.models import Part, refuse_loop
from stockweb.tree import Tree, tree


class Box(models.Model):
    """A place that parts lie in; boxes stand in shelves, drawers in boxes."""

    class Kind(models.TextChoices):
        """What it looks like to whoever searches for it."""

        SHELF = "shelf"
        BOX = "box"
        DRAWER = "drawer"

    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    code = models.CharField(
        max_length=20,
        unique=True,
        validators=[RegexValidator(r"^[A-Z0-9]+(-[A-Z0-9]+)*$", "capitals, digits and single hyphens: B2, RACK-3")],
        help_text="what is written on it: B2",
    )
    name = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.BOX)

    class Meta:
        ordering = ("code",)
        verbose_name_plural = "boxes"
        constraints = (models.CheckConstraint(condition=~models.Q(parent=models.F("pk")), name="box_not_in_itself"),)

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        """Return the page with its contents."""
        return reverse("box-detail", args=(self.code,))

    def clean(self) -> None:
        """Refuse a parent that lies inside this box."""
        refuse_loop(self, box_tree())


class Lot(models.Model):
    """How many of a part are in a box."""

    part = models.ForeignKey(Part, models.PROTECT, related_name="lots")
    box = models.ForeignKey(Box, models.PROTECT, related_name="lots")
    qty = models.BigIntegerField("quantity", default=0)
    approx = models.BooleanField("approximate", default=False, db_default=False, help_text="a handful, not counted")
    counted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("part", "box"), name="lot_once_per_part_and_box"),
            models.CheckConstraint(condition=models.Q(qty__gte=0), name="lot_never_negative"),
        )

    def __str__(self) -> str:
        return f"{'about ' if self.approx else ''}{self.qty} in {self.box}"


class Movement(models.Model):
    """One change of one lot. Append-only; ids of one lot ascend in the order in which the changes were made."""

    class Reason(models.TextChoices):
        """Why it was made."""

        BUY = "buy", "added"
        USE = "use", "taken"
        MOVE = "move", "moved"
        COUNT = "count", "counted"
        BUILD = "build", "built"
        UNDO = "undo", "undone"

    #: Held by a trigger in PostgreSQL (migration 0002), and by the engine where that is MongoDB.
    append_only = True

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="movements")
    delta = models.BigIntegerField()
    balance = models.BigIntegerField(help_text="what the lot held afterwards")
    approx = models.BooleanField(default=False, db_default=False, help_text="whether that was a guess")
    reason = models.CharField(max_length=8, choices=Reason)
    #: What was done together shares it, and is undone together: the halves of a move, all that a build took.
    move_id = models.UUIDField(null=True, blank=True, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(db_default=Now())
    #: Chosen by whoever asks for the change, so that asking again changes nothing.
    key = models.UUIDField(unique=True, default=uuid.uuid4)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="reversed_by")
    unit_cost = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")

    class Meta:
        ordering = ("-pk",)
        indexes = (models.Index(fields=("lot", "-id"), name="movement_by_lot"),)
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(delta=0) | models.Q(reason__in=("count", "undo")), name="movement_says_something"
            ),
            models.CheckConstraint(
                condition=models.Q(unit_cost=None) | models.Q(unit_cost__gte=0) & ~models.Q(currency=""),
                name="movement_cost_in_a_currency",
            ),
        )

    def __str__(self) -> str:
        return f"{self.delta:+d}"

    @property
    def signed(self) -> str:
        """``+3`` or ``−3``, with a minus sign that is as wide as the plus."""
        return f"{self.delta:+d}".replace("-", "−")

    @property
    def deed(self) -> str:
        """What was done, to be followed by the box: ``taken from``, ``moved to``."""
        into = self.delta > 0
        deeds = {
            self.Reason.BUY: "added to",
            self.Reason.USE: "taken from",
            self.Reason.MOVE: "moved to" if into else "moved from",
            self.Reason.COUNT: "counted in",
            self.Reason.BUILD: "built from",
            self.Reason.UNDO: "put back into" if into else "taken back from",
        }
        # The version before may have to show what a newer one wrote.
        return deeds.get(self.reason, "put into" if into else "taken out of")

    @property
    def undoable(self) -> bool:
        """Whether it may be reversed: it is no reversal itself, and nobody did it before. Reads ``reversed_by``."""
        return self.reason != self.Reason.UNDO and not hasattr(self, "reversed_by")


class Event(models.Model):
    """A movement that everybody can see; its id is its position.

    Written by a trigger, see migration 0003, or with the movement where there is none, see :mod:`stock.mongo.posting`.

    Positions ascend in the order in which movements became visible, so whoever has read up to one has missed none.
    """

    append_only = True

    movement = models.OneToOneField(Movement, models.PROTECT, related_name="event")

    def __str__(self) -> str:
        return f"{self.pk}: {self.movement}"


class LowStockAlert(models.Model):
    """A part whose present dip below its minimum was told; gone when the stock is enough again."""

    part = models.OneToOneField(Part, models.CASCADE, related_name="low_stock_alert")
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.part} since {self.at}"


def box_tree() -> Tree[Box]:
    """Return all boxes. One query."""
    return tree(Box.objects.all())
