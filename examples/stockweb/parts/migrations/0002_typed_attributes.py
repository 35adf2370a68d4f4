"""Kinds of attributes, what a value says beside what is written, and saved requirements.

Expand only: the version before names none of these columns, and its rows get what the database has for them.
"""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# The constraints come with their columns: one added to a column that is there would have to wait for a release in which
# no older version is alive.
NUMBERS = """
ALTER TABLE parts_attributevalue
    ADD COLUMN num_lo double precision,
    ADD COLUMN num_hi double precision
        CONSTRAINT attribute_from_low_to_high CHECK (num_nulls(num_lo, num_hi) <> 1 AND num_lo <= num_hi),
    ADD COLUMN tol_pct double precision
        CONSTRAINT attribute_tolerance_not_negative CHECK (tol_pct >= 0)
"""
NO_NUMBERS = "ALTER TABLE parts_attributevalue DROP COLUMN num_lo, DROP COLUMN num_hi, DROP COLUMN tol_pct"


class Migration(migrations.Migration):
    dependencies = [
        ("parts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="attributedefinition",
            name="kind",
            field=models.CharField(
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
        migrations.AddField(
            model_name="attributedefinition",
            name="match",
            field=models.CharField(
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
        migrations.AddField(
            model_name="attributedefinition",
            name="rel_tol",
            field=models.FloatField(
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
        migrations.AddField(
            model_name="attributedefinition",
            name="choices",
            field=models.TextField(blank=True, db_default="", default="", help_text="one a line"),
        ),
        migrations.AddField(
            model_name="attributedefinition",
            name="required",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="attributevalue",
            name="type",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="parts.parttype",
            ),
        ),
        migrations.AddField(
            model_name="attributevalue",
            name="text_value",
            field=models.TextField(db_default="", default="", editable=False),
        ),
        migrations.AddField(
            model_name="attributevalue",
            name="parsed",
            field=models.CharField(db_default="", default="", editable=False, max_length=80),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(NUMBERS, NO_NUMBERS)],
            state_operations=[
                migrations.AddField(
                    model_name="attributevalue",
                    name="num_lo",
                    field=models.FloatField(editable=False, null=True),
                ),
                migrations.AddField(
                    model_name="attributevalue",
                    name="num_hi",
                    field=models.FloatField(editable=False, null=True),
                ),
                migrations.AddField(
                    model_name="attributevalue",
                    name="tol_pct",
                    field=models.FloatField(editable=False, null=True),
                ),
                migrations.AddConstraint(
                    model_name="attributevalue",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("num_hi__isnull", True), ("num_lo__isnull", True)),
                            models.Q(
                                ("num_hi__isnull", False),
                                ("num_lo__isnull", False),
                                ("num_lo__lte", models.F("num_hi")),
                            ),
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
            ],
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
                "constraints": [
                    models.UniqueConstraint(fields=("user", "name"), name="requirement_name_once_per_user")
                ],
            },
        ),
    ]
