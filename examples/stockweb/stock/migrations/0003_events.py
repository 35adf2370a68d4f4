"""A line of events, one for each movement, in the order in which they became visible.

Ids are given when rows are written, and rows are seen when their transaction commits, which may be in another order:
whoever has read up to id 7 would never see 6. So the line is written by a deferred trigger, at the very end of the
transaction, and by one transaction after another: the lock is given back when the event can be seen.
"""

import django.db.models.deletion
from django.db import migrations, models

CREATE = """
CREATE FUNCTION stock_movement_announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock('stock_event'::regclass::oid::bigint);
    INSERT INTO stock_event (movement_id) VALUES (NEW.id);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER stock_movement_announce AFTER INSERT ON stock_movement DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stock_movement_announce();
"""

DROP = """
DROP TRIGGER stock_movement_announce ON stock_movement;
DROP FUNCTION stock_movement_announce();
"""


class Migration(migrations.Migration):
    """See the module."""

    dependencies = [("stock", "0002_movements_are_append_only")]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "movement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="event", to="stock.movement"
                    ),
                ),
            ],
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
