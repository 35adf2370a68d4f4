"""What a value says, beside what is written."""

import django.db.models.deletion
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
    dependencies = [("parts", "0002_kinds_of_attributes")]

    operations = [
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
    ]
