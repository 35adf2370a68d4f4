"""A trigger that keeps what a value says true, whichever version writes.

A value has the type of its part. Where the value that is written is not the one that was read, nothing is known of it.
"""

from django.db import migrations

# The part is locked against a change of its type meanwhile: whoever changes it waits, or this waits and sees the change.
CREATE = """
CREATE FUNCTION parts_attributevalue_is_true() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT type_id INTO NEW.type_id FROM parts_part WHERE id = NEW.part_id FOR SHARE;
    IF NEW.parsed <> NEW.raw THEN
        NEW.num_lo := NULL;
        NEW.num_hi := NULL;
        NEW.tol_pct := NULL;
        NEW.text_value := '';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER parts_attributevalue_is_true BEFORE INSERT OR UPDATE ON parts_attributevalue
    FOR EACH ROW EXECUTE FUNCTION parts_attributevalue_is_true();
"""

DROP = """
DROP TRIGGER parts_attributevalue_is_true ON parts_attributevalue;
DROP FUNCTION parts_attributevalue_is_true();
"""


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("parts", "0003_typed_values")]

    operations = [migrations.RunSQL(CREATE, DROP)]
