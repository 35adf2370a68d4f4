"""A trigger that refuses to put a box into one that stands inside it, whoever asks.

Two moves that are each right alone may make a loop together, so boxes are moved by one transaction after another.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION stock_box_is_in_a_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock('stock_box'::regclass::oid::bigint);
    IF EXISTS (
        WITH RECURSIVE above (id) AS (
            SELECT NEW.parent_id
            UNION
            SELECT box.parent_id FROM stock_box AS box JOIN above ON box.id = above.id
        )
        SELECT FROM above WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'box % cannot stand inside itself', NEW.code USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER stock_box_is_in_a_tree AFTER INSERT OR UPDATE OF parent_id ON stock_box
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION stock_box_is_in_a_tree();
"""

DROP = """
DROP TRIGGER stock_box_is_in_a_tree ON stock_box;
DROP FUNCTION stock_box_is_in_a_tree();
"""


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("stock", "0005_counts_builds_and_costs")]

    operations = [migrations.RunSQL(CREATE, DROP)]
