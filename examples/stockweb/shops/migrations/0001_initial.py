"""Shops, their offers with prices, and rates between currencies."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("parts", "0009_saved_requirements"),
    ]

    operations = [
        migrations.CreateModel(
            name="Rate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "currency",
                    models.CharField(
                        max_length=3,
                        validators=[
                            django.core.validators.RegexValidator("^[A-Z]{3}$", "three capitals, as in EUR (ISO 4217)")
                        ],
                    ),
                ),
                ("day", models.DateField()),
                ("worth", models.DecimalField(decimal_places=9, max_digits=18)),
            ],
            options={
                "ordering": ("currency", "-day"),
                "constraints": [
                    models.UniqueConstraint(fields=("currency", "day"), name="one_rate_a_day"),
                    models.CheckConstraint(condition=models.Q(("worth__gt", 0)), name="rate_is_positive"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Shop",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("url", models.URLField(blank=True)),
                (
                    "currency",
                    models.CharField(
                        help_text="EUR, USD, ...",
                        max_length=3,
                        validators=[
                            django.core.validators.RegexValidator("^[A-Z]{3}$", "three capitals, as in EUR (ISO 4217)")
                        ],
                    ),
                ),
                (
                    "shipping",
                    models.DecimalField(
                        decimal_places=2,
                        default=0,
                        help_text="for an order",
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="shop_has_a_currency"
                    ),
                    models.CheckConstraint(condition=models.Q(("shipping__gte", 0)), name="shop_shipping_not_negative"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Offer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sku", models.CharField(max_length=80, verbose_name="order number")),
                ("url", models.URLField(blank=True)),
                (
                    "moq",
                    models.PositiveIntegerField(
                        default=1,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="least quantity",
                    ),
                ),
                (
                    "multiple",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="sold in multiples of this",
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="packed by",
                    ),
                ),
                (
                    "part",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="offers", to="parts.part"
                    ),
                ),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="offers", to="shops.shop"
                    ),
                ),
            ],
            options={
                "ordering": ("shop__name", "sku"),
            },
        ),
        migrations.CreateModel(
            name="PriceBreak",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "min_qty",
                    models.PositiveIntegerField(
                        default=1, validators=[django.core.validators.MinValueValidator(1)], verbose_name="from"
                    ),
                ),
                (
                    "unit_price",
                    models.DecimalField(
                        decimal_places=6, max_digits=12, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "offer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="breaks", to="shops.offer"
                    ),
                ),
            ],
            options={
                "ordering": ("offer", "min_qty"),
                "constraints": [
                    models.UniqueConstraint(fields=("offer", "min_qty"), name="one_price_from_a_quantity_on"),
                    models.CheckConstraint(
                        condition=models.Q(("min_qty__gte", 1), ("unit_price__gte", 0)), name="price_of_something"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="offer",
            index=models.Index(django.db.models.functions.text.Upper("sku"), name="offer_by_order_number"),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.UniqueConstraint(fields=("shop", "sku"), name="order_number_once_per_shop"),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(("moq__gte", 1), ("multiple__gte", 1)), name="offer_of_something"
            ),
        ),
    ]
