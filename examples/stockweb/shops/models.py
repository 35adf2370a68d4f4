"""Shops, what they offer under which number, and their prices. Money is decimal, in the currency of the shop."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Upper

from parts.models import Part

_CURRENCY = RegexValidator(r"^[A-Z]{3}$", "three capitals, as in EUR (ISO 4217)")


class Shop(models.Model):
    """Somebody who sells parts, in one currency."""

    name = models.CharField(max_length=80, unique=True)
    url = models.URLField(blank=True)
    currency = models.CharField(max_length=3, validators=[_CURRENCY], help_text="EUR, USD, ...")
    shipping = models.DecimalField(
        max_digits=12, decimal_places=2, default=0, validators=[MinValueValidator(0)], help_text="for an order"
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(condition=models.Q(currency__regex="^[A-Z]{3}$"), name="shop_has_a_currency"),
            models.CheckConstraint(condition=models.Q(shipping__gte=0), name="shop_shipping_not_negative"),
        )

    def __str__(self) -> str:
        return self.name


class Offer(models.Model):
    """A part under the number that a shop gives it."""

    part = models.ForeignKey(Part, models.CASCADE, related_name="offers")
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="offers")
    sku = models.CharField("order number", max_length=80)
    url = models.URLField(blank=True)
    moq = models.PositiveIntegerField("least quantity", default=1, validators=[MinValueValidator(1)])
    multiple = models.PositiveIntegerField(
        "packed by", default=1, validators=[MinValueValidator(1)], help_text="sold in multiples of this"
    )

    class Meta:
        ordering = ("shop__name", "sku")
        constraints = (
            models.UniqueConstraint(fields=("shop", "sku"), name="order_number_once_per_shop"),
            models.CheckConstraint(condition=models.Q(moq__gte=1, multiple__gte=1), name="offer_of_something"),
        )
        indexes = (models.Index(Upper("sku"), name="offer_by_order_number"),)

    def __str__(self) -> str:
        return f"{self.sku} at {self.shop}"


class PriceBreak(models.Model):
    """What a piece costs from a quantity on."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="breaks")
    min_qty = models.PositiveIntegerField("from", default=1, validators=[MinValueValidator(1)])
    unit_price = models.DecimalField(max_digits=12, decimal_places=6, validators=[MinValueValidator(0)])

    class Meta:
        ordering = ("offer", "min_qty")
        constraints = (
            models.UniqueConstraint(fields=("offer", "min_qty"), name="one_price_from_a_quantity_on"),
            models.CheckConstraint(condition=models.Q(min_qty__gte=1, unit_price__gte=0), name="price_of_something"),
        )

    def __str__(self) -> str:
        return f"{self.unit_price.normalize():f} from {self.min_qty} on"


class Rate(models.Model):
    """What one unit of a currency is worth in the currency at home, from a day on. Kept by hand."""

    currency = models.CharField(max_length=3, validators=[_CURRENCY])
    day = models.DateField()
    worth = models.DecimalField(max_digits=18, decimal_places=9)

    class Meta:
        ordering = ("currency", "-day")
        constraints = (
            models.UniqueConstraint(fields=("currency", "day"), name="one_rate_a_day"),
            models.CheckConstraint(condition=models.Q(worth__gt=0), name="rate_is_positive"),
        )

    def __str__(self) -> str:
        return f"1 {self.currency} is {self.worth.normalize():f} since {self.day}"
