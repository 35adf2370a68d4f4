"""A trigger by which the values of a part have its new type when it changes."""

from django.db import migrations

CREATE = """
CREATE FUNCTION parts_part_takes_its_values_along() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE parts_attributevalue SET type_id = NEW.type_id WHERE part_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER parts_part_takes_its_values_along AFTER UPDATE OF type_id ON parts_part
    FOR EACH ROW WHEN (OLD.type_id <> NEW.type_id) EXECUTE FUNCTION parts_part_takes_its_values_along();
"""

DROP = """
DROP TRIGGER parts_part_takes_its_values_along ON parts_part;
DROP FUNCTION parts_part_takes_its_values_along();
"""


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("parts", "0004_values_are_true")]

    operations = [migrations.RunSQL(CREATE, DROP)]
