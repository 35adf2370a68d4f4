"""What migrations up to 0010 of PostgreSQL amount to, in MongoDB."""

import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("parts", "0001_initial"),
        ("parts", "0002_kinds_of_attributes"),
        ("parts", "0003_typed_values"),
        ("parts", "0004_values_are_true"),
        ("parts", "0005_values_follow_their_part"),
        ("parts", "0006_read_values"),
        ("parts", "0007_indexes_of_values"),
        ("parts", "0008_statistics_of_values"),
        ("parts", "0009_saved_requirements"),
        ("parts", "0010_designators"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AttributeDefinition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=40)),
                ("label", models.CharField(max_length=60)),
                (
                    "unit",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "no unit"),
                            ("ohm", "Ω"),
                            ("F", "F"),
                            ("H", "H"),
                            ("V", "V"),
                            ("A", "A"),
                            ("W", "W"),
                            ("Hz", "Hz"),
                            ("s", "s"),
                            ("m", "m"),
                            ("degC", "°C"),
                            ("%", "%"),
                            ("B", "B"),
                            ("count", "count"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("quantity", "quantity"),
                            ("range", "range"),
                            ("choice", "choice"),
                            ("text", "text"),
                            ("boolean", "yes or no"),
                        ],
                        db_default="text",
                        default="text",
                        max_length=8,
                    ),
                ),
                (
                    "match",
                    models.CharField(
                        choices=[
                            ("exact", "exact, but for the tolerance"),
                            ("higher", "higher is fine"),
                            ("lower", "lower is fine"),
                            ("covers", "covers what is asked for"),
                            ("one of", "one of those asked for"),
                        ],
                        db_default="one of",
                        default="one of",
                        max_length=8,
                    ),
                ),
                (
                    "rel_tol",
                    models.FloatField(
                        db_default=1e-06,
                        default=1e-06,
                        help_text="as a part of the value: 0.01 is 1 %",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                        verbose_name="tolerance of exact",
                    ),
                ),
                ("choices", models.TextField(blank=True, db_default="", default="", help_text="one a line")),
                ("required", models.BooleanField(db_default=False, default=False)),
                ("position", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "ordering": ("position", "pk"),
            },
        ),
        migrations.CreateModel(
            name="PartType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                (
                    "designators",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="letters of its references in drawings, with spaces between them: D LED",
                        max_length=40,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="parts.parttype",
                    ),
                ),
            ],
            options={
                "ordering": ("name", "pk"),
            },
        ),
        migrations.CreateModel(
            name="Part",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                (
                    "mpn",
                    models.CharField(
                        blank=True,
                        help_text="the manufacturer's part number",
                        max_length=80,
                        verbose_name="part number",
                    ),
                ),
                ("manufacturer", models.CharField(blank=True, max_length=80)),
                ("description", models.TextField(blank=True)),
                ("package", models.CharField(blank=True, help_text="0805, TO-92, DIP-8, ...", max_length=40)),
                ("tags", models.CharField(blank=True, help_text="words, with spaces between them", max_length=200)),
                (
                    "min_qty",
                    models.PositiveIntegerField(
                        default=0, help_text="0: any stock is enough", verbose_name="minimum stock"
                    ),
                ),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("updated", models.DateTimeField(auto_now=True)),
                (
                    "search",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.text.Upper(
                            django.db.models.functions.text.Concat(
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
                    ),
                ),
                (
                    "type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="parts.parttype"
                    ),
                ),
            ],
            options={
                "ordering": ("name", "pk"),
            },
        ),
        migrations.CreateModel(
            name="AttributeValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("raw", models.CharField(max_length=80, verbose_name="value")),
                ("num_lo", models.FloatField(editable=False, null=True)),
                ("num_hi", models.FloatField(editable=False, null=True)),
                ("tol_pct", models.FloatField(editable=False, null=True)),
                ("text_value", models.TextField(db_default="", default="", editable=False)),
                ("parsed", models.CharField(db_default="", default="", editable=False, max_length=80)),
                (
                    "definition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="values",
                        to="parts.attributedefinition",
                    ),
                ),
                (
                    "part",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="values", to="parts.part"
                    ),
                ),
                (
                    "type",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="parts.parttype",
                    ),
                ),
            ],
            options={
                "ordering": ("definition__position", "pk"),
            },
        ),
        migrations.AddField(
            model_name="attributedefinition",
            name="part_type",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="attributes", to="parts.parttype"
            ),
        ),
        migrations.CreateModel(
            name="SavedRequirement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("wanted", models.JSONField(default=dict, help_text="text by the key of an attribute")),
                ("package", models.CharField(blank=True, max_length=40)),
                ("in_stock", models.BooleanField(default=False)),
                ("updated", models.DateTimeField(auto_now=True)),
                (
                    "part_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="parts.parttype"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="requirements",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("name", "pk"),
            },
        ),
        migrations.AddConstraint(
            model_name="parttype",
            constraint=models.UniqueConstraint(
                fields=("parent", "name"), name="type_once_per_parent", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="parttype",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", models.F("pk")), _negated=True), name="type_not_in_itself"
            ),
        ),
        migrations.AddIndex(
            model_name="part",
            index=models.Index(fields=["name", "id"], name="part_by_name"),
        ),
        migrations.AddIndex(
            model_name="part",
            index=models.Index(fields=["type", "name", "id"], name="part_by_type_and_name"),
        ),
        migrations.AddIndex(
            model_name="part",
            index=models.Index(condition=models.Q(("min_qty__gt", 0)), fields=["id"], name="part_with_minimum"),
        ),
        migrations.AddIndex(
            model_name="part",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["search"], name="part_search", opclasses=("gin_trgm_ops",)
            ),
        ),
        migrations.AddConstraint(
            model_name="part",
            constraint=models.UniqueConstraint(
                condition=models.Q(("mpn", ""), _negated=True),
                fields=("mpn", "manufacturer"),
                name="part_number_once_per_manufacturer",
            ),
        ),
        migrations.AddIndex(
            model_name="attributevalue",
            index=models.Index(
                condition=models.Q(("num_lo__isnull", False)),
                fields=["type", "definition", "num_lo"],
                include=("part", "num_hi"),
                name="attribute_by_number",
            ),
        ),
        migrations.AddIndex(
            model_name="attributevalue",
            index=models.Index(
                condition=models.Q(("text_value", ""), _negated=True),
                fields=["type", "definition", "text_value"],
                include=("part",),
                name="attribute_by_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="attributevalue",
            constraint=models.UniqueConstraint(fields=("part", "definition"), name="attribute_once_per_part"),
        ),
        migrations.AddConstraint(
            model_name="attributevalue",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("num_hi__isnull", True), ("num_lo__isnull", True)),
                    models.Q(("num_hi__isnull", False), ("num_lo__isnull", False), ("num_lo__lte", models.F("num_hi"))),
                    _connector="OR",
                ),
                name="attribute_from_low_to_high",
            ),
        ),
        migrations.AddConstraint(
            model_name="attributevalue",
            constraint=models.CheckConstraint(
                condition=models.Q(("tol_pct__gte", 0)), name="attribute_tolerance_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="attributedefinition",
            constraint=models.UniqueConstraint(fields=("part_type", "key"), name="attribute_key_once_per_type"),
        ),
        migrations.AddConstraint(
            model_name="savedrequirement",
            constraint=models.UniqueConstraint(fields=("user", "name"), name="requirement_name_once_per_user"),
        ),
    ]
