"""What migrations up to 0006 of PostgreSQL amount to, in MongoDB."""

import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("stock", "0001_initial"),
        ("stock", "0002_movements_are_append_only"),
        ("stock", "0003_events"),
        ("stock", "0004_approximate_lots"),
        ("stock", "0005_counts_builds_and_costs"),
        ("stock", "0006_boxes_are_a_tree"),
    ]

    dependencies = [
        ("parts", "0001_up_to_0010"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Box",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        help_text="what is written on it: B2",
                        max_length=20,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z0-9]+(-[A-Z0-9]+)*$", "capitals, digits and single hyphens: B2, RACK-3"
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=80)),
                (
                    "kind",
                    models.CharField(
                        choices=[("shelf", "Shelf"), ("box", "Box"), ("drawer", "Drawer")], default="box", max_length=10
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="stock.box",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "boxes",
                "ordering": ("code",),
            },
        ),
        migrations.CreateModel(
            name="Lot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("qty", models.BigIntegerField(default=0, verbose_name="quantity")),
                (
                    "approx",
                    models.BooleanField(
                        db_default=False, default=False, help_text="a handful, not counted", verbose_name="approximate"
                    ),
                ),
                ("counted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "box",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="lots", to="stock.box"),
                ),
                (
                    "part",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lots", to="parts.part"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LowStockAlert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "part",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="low_stock_alert", to="parts.part"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Movement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("delta", models.BigIntegerField()),
                ("balance", models.BigIntegerField(help_text="what the lot held afterwards")),
                ("approx", models.BooleanField(db_default=False, default=False, help_text="whether that was a guess")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("buy", "added"),
                            ("use", "taken"),
                            ("move", "moved"),
                            ("count", "counted"),
                            ("build", "built"),
                            ("undo", "undone"),
                        ],
                        max_length=8,
                    ),
                ),
                ("move_id", models.UUIDField(blank=True, db_index=True, null=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("key", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("unit_cost", models.DecimalField(blank=True, decimal_places=6, max_digits=12, null=True)),
                ("currency", models.CharField(blank=True, db_default="", default="", max_length=3)),
                (
                    "lot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="movements", to="stock.lot"
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="stock.movement",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-pk",),
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "movement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="event", to="stock.movement"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="box",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", models.F("pk")), _negated=True), name="box_not_in_itself"
            ),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.UniqueConstraint(fields=("part", "box"), name="lot_once_per_part_and_box"),
        ),
        migrations.AddConstraint(
            model_name="lot",
            constraint=models.CheckConstraint(condition=models.Q(("qty__gte", 0)), name="lot_never_negative"),
        ),
        migrations.AddIndex(
            model_name="movement",
            index=models.Index(fields=["lot", "-id"], name="movement_by_lot"),
        ),
        migrations.AddConstraint(
            model_name="movement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("delta", 0), _negated=True), ("reason__in", ("count", "undo")), _connector="OR"
                ),
                name="movement_says_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="movement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("unit_cost", None),
                    models.Q(("unit_cost__gte", 0), models.Q(("currency", ""), _negated=True)),
                    _connector="OR",
                ),
                name="movement_cost_in_a_currency",
            ),
        ),
    ]
