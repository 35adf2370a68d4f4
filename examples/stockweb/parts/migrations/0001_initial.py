"""Part types, parts and attributes, with the trigram index that searches use."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        # Trusted: the owner of a database may install it, as on RDS.
        TrigramExtension(),
        migrations.CreateModel(
            name="PartType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
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
                ("position", models.PositiveSmallIntegerField(default=0)),
                (
                    "part_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attributes", to="parts.parttype"
                    ),
                ),
            ],
            options={
                "ordering": ("position", "pk"),
            },
        ),
        migrations.CreateModel(
            name="AttributeValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("raw", models.CharField(max_length=80, verbose_name="value")),
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
            ],
            options={
                "ordering": ("definition__position", "pk"),
                "constraints": [models.UniqueConstraint(fields=("part", "definition"), name="attribute_once_per_part")],
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
        migrations.AddConstraint(
            model_name="attributedefinition",
            constraint=models.UniqueConstraint(fields=("part_type", "key"), name="attribute_key_once_per_type"),
        ),
    ]
