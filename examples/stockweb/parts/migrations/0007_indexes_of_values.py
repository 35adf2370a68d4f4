"""The indexes that searches by requirement use, built while others read and write."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """See the module."""

    atomic = False
    dependencies = [("parts", "0006_read_values")]

    operations = [
        AddIndexConcurrently(
            model_name="attributevalue",
            index=models.Index(
                condition=models.Q(("num_lo__isnull", False)),
                fields=["type", "definition", "num_lo"],
                include=("part", "num_hi"),
                name="attribute_by_number",
            ),
        ),
        AddIndexConcurrently(
            model_name="attributevalue",
            index=models.Index(
                condition=models.Q(("text_value", ""), _negated=True),
                fields=["type", "definition", "text_value"],
                include=("part",),
                name="attribute_by_word",
            ),
        ),
    ]
