"""A trigger that refuses to change or delete a movement, whoever asks."""

from django.db import migrations

CREATE = """
CREATE FUNCTION stock_movement_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'movements are append-only: reverse movement % by another', OLD.id USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER stock_movement_append_only BEFORE UPDATE OR DELETE ON stock_movement
    FOR EACH ROW EXECUTE FUNCTION stock_movement_is_append_only();
"""

DROP = """
DROP TRIGGER stock_movement_append_only ON stock_movement;
DROP FUNCTION stock_movement_is_append_only();
"""


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("stock", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
