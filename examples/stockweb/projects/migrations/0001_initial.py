"""Projects, their lines, what was chosen before, and what was built."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("parts", "0010_designators"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Project",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True)),
                (
                    "boards",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="to be built next",
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                ("notes", models.TextField(blank=True)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("updated", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ("name", "pk"),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("boards__gte", 1)), name="project_builds_something")
                ],
            },
        ),
        migrations.CreateModel(
            name="Build",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("boards", models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)])),
                ("key", models.UUIDField(unique=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
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
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="builds", to="projects.project"
                    ),
                ),
            ],
            options={
                "ordering": ("-pk",),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("boards__gte", 1)), name="build_of_something")
                ],
            },
        ),
        migrations.CreateModel(
            name="BomLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField(help_text="its line in the file")),
                (
                    "refs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), blank=True, default=list, size=None
                    ),
                ),
                (
                    "quantity",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)], verbose_name="for a board"
                    ),
                ),
                ("value", models.CharField(blank=True, max_length=120)),
                ("footprint", models.CharField(blank=True, max_length=160)),
                ("mpn", models.CharField(blank=True, max_length=80, verbose_name="part number")),
                ("sku", models.CharField(blank=True, max_length=80, verbose_name="order number")),
                ("dnp", models.BooleanField(default=False, verbose_name="not placed")),
                ("wanted", models.JSONField(blank=True, default=dict, help_text="text by the key of an attribute")),
                ("package", models.CharField(blank=True, max_length=40)),
                ("unclear", models.CharField(blank=True, max_length=300)),
                (
                    "chosen",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="bom_lines",
                        to="parts.part",
                    ),
                ),
                (
                    "part_type",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="parts.parttype",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="projects.project"
                    ),
                ),
            ],
            options={
                "ordering": ("project", "position", "pk"),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="line_of_something")
                ],
            },
        ),
        migrations.CreateModel(
            name="Remembered",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("value", models.CharField(max_length=120)),
                ("footprint", models.CharField(blank=True, max_length=160)),
                (
                    "part",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="parts.part"),
                ),
            ],
            options={
                "ordering": ("value", "footprint"),
                "constraints": [models.UniqueConstraint(fields=("value", "footprint"), name="one_choice_to_remember")],
            },
        ),
    ]
