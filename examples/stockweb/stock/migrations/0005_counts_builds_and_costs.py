"""Movements by counting and building, and what a bought piece cost.

A count that finds as many as there should be is a movement of nothing. The constraint that refused those is replaced by
one that comes with a column, so nobody has to look at the rows that are there.
"""

from django.db import migrations, models

COST = """
ALTER TABLE stock_movement
    ADD COLUMN unit_cost numeric(12, 6)
        CONSTRAINT movement_says_something CHECK (delta <> 0 OR reason IN ('count', 'undo'))
        CONSTRAINT movement_cost_in_a_currency CHECK (unit_cost IS NULL OR (unit_cost >= 0 AND currency <> ''))
"""
NO_COST = "ALTER TABLE stock_movement DROP CONSTRAINT movement_says_something, DROP COLUMN unit_cost"


class Migration(migrations.Migration):
    dependencies = [("stock", "0004_approximate_lots")]

    operations = [
        migrations.AlterField(
            model_name="movement",
            name="reason",
            field=models.CharField(
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
        migrations.AddField(
            model_name="movement",
            name="approx",
            field=models.BooleanField(db_default=False, default=False, help_text="whether that was a guess"),
        ),
        migrations.AddField(
            model_name="movement",
            name="currency",
            field=models.CharField(blank=True, db_default="", default="", max_length=3),
        ),
        migrations.RemoveConstraint(model_name="movement", name="movement_moves_something"),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(COST, NO_COST)],
            state_operations=[
                migrations.AddField(
                    model_name="movement",
                    name="unit_cost",
                    field=models.DecimalField(blank=True, decimal_places=6, max_digits=12, null=True),
                ),
                migrations.AddConstraint(
                    model_name="movement",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("delta", 0), _negated=True),
                            ("reason__in", ("count", "undo")),
                            _connector="OR",
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
            ],
        ),
    ]
