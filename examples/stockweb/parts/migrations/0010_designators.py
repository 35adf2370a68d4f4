"""What the letters of references in drawings mean."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parts", "0009_saved_requirements")]

    operations = [
        migrations.AddField(
            model_name="parttype",
            name="designators",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="letters of its references in drawings, with spaces between them: D LED",
                max_length=40,
            ),
        ),
    ]
