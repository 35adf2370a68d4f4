"""What the values of an attribute are, and which suit.

Expand only, as all that follows: the version before names none of the new columns, and its rows get what the database
has for them. Each migration alters one table. A query of the version that serves reads several, and one that waited for
this table while this waited for another of its tables would be ended as a deadlock.
"""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parts", "0001_initial")]

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
    ]
