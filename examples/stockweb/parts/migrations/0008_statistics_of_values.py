"""What PostgreSQL has to know of values: which numbers an attribute has depends on the attribute.

Without it, it takes a hundred thousand farads for as likely as a hundred thousand ohms, expects few parts where there are
many, and looks them up one by one: searches among 100 000 parts take seven times as long.
"""

from django.db import migrations

CREATE = """
CREATE STATISTICS parts_attributevalue_numbers (dependencies, mcv)
    ON type_id, definition_id, num_lo FROM parts_attributevalue;
ALTER STATISTICS parts_attributevalue_numbers SET STATISTICS 1000;
CREATE STATISTICS parts_attributevalue_words (dependencies, mcv)
    ON type_id, definition_id, text_value FROM parts_attributevalue;
ALTER STATISTICS parts_attributevalue_words SET STATISTICS 1000;
ANALYZE parts_attributevalue;
"""

DROP = """
DROP STATISTICS parts_attributevalue_numbers;
DROP STATISTICS parts_attributevalue_words;
"""


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("parts", "0007_indexes_of_values")]

    operations = [migrations.RunSQL(CREATE, DROP)]
