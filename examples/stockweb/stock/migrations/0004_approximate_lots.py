"""Lots that nobody counted, and when the others were."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stock", "0003_events")]

    operations = [
        migrations.AddField(
            model_name="lot",
            name="approx",
            field=models.BooleanField(
                db_default=False, default=False, help_text="a handful, not counted", verbose_name="approximate"
            ),
        ),
        migrations.AddField(
            model_name="lot",
            name="counted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
