"""Columns come, go, and change their names."""

# ruff: noqa: E501 - an operation of a migration is easier to read in one line

from __future__ import annotations

from tests.functional.migrations.cases.case import SQL_NULLABLE, Case, add, alter, state

CASES = (
    # columns come
    Case("add_null", add("IntegerField(null=True)"), ("add-nullable",)),
    Case("add_null_default", add("IntegerField(null=True, default=7)"), ("add-nullable",)),
    Case("add_not_null", add("IntegerField(default=7)"), ("add-not-null",)),
    Case("add_blank_text", add('CharField(max_length=9, default="", blank=True)'), ("add-not-null",)),
    Case("add_auto_now", add("DateTimeField(auto_now=True)"), ("add-not-null",)),
    Case("add_boolean", add("BooleanField(default=False)"), ("add-not-null",)),
    Case("add_json", add("JSONField(default=dict)"), ("add-not-null",)),
    Case("add_db_default", add("IntegerField(db_default=7)"), ("add-db-default",), since=(5, 0)),
    Case("add_db_default_now", add("DateTimeField(db_default=Now())"), ("add-db-default",), since=(5, 0)),
    Case("add_db_default_null", add("IntegerField(null=True, db_default=7)"), ("add-db-default",), since=(5, 0)),
    Case(
        "add_volatile",
        add('UUIDField(db_default=Func(function="gen_random_uuid"))'),
        ("add-volatile",),
        since=(5, 0),
    ),
    Case(
        "add_generated",
        add('GeneratedField(expression=F("count") + 1, output_field=models.IntegerField(), db_persist=True)'),
        ("add-generated",),
        since=(5, 0),
    ),
    Case(
        "add_virtual",
        add('GeneratedField(expression=F("count") + 1, output_field=models.IntegerField(), db_persist=False)'),
        ("add-virtual",),
        since=(6, 0),
    ),
    Case("add_indexed", add("IntegerField(null=True, db_index=True)"), ("add-nullable add-indexed",)),
    Case("add_slug", add("SlugField(null=True)"), ("add-nullable add-indexed",)),
    Case("add_unique", add("IntegerField(null=True, unique=True)"), ("add-nullable add-indexed",)),
    Case("add_positive", add("PositiveIntegerField(null=True)"), ("add-nullable add-indexed",)),
    Case(
        "add_fk",
        add('ForeignKey("LABEL.Box", models.CASCADE, null=True, related_name="+")'),
        ("add-nullable add-indexed",),
    ),
    Case(
        "add_fk_plain",
        add(
            'ForeignKey("LABEL.Box", models.CASCADE, null=True, related_name="+", db_constraint=False, db_index=False)'
        ),
        ("add-nullable",),
    ),
    Case("add_m2m", add('ManyToManyField("LABEL.Box", related_name="+")'), ("new-many-to-many",)),
    Case(
        "add_m2m_through",
        'migrations.CreateModel("Link", [("id", models.BigAutoField(primary_key=True)), '
        '("part", models.ForeignKey("LABEL.Part", models.CASCADE)), ("b", models.ForeignKey("LABEL.Box", models.CASCADE))]),'
        + add('ManyToManyField("LABEL.Box", related_name="+", through="LABEL.Link")'),
        ("new-table-references", "no-change"),
    ),
    Case("add_order", 'migrations.AlterOrderWithRespectTo("part", "box"),', ("add-order",)),
    Case(
        "remove_order",
        'migrations.AlterOrderWithRespectTo("part", None),',
        ("remove-column",),
        first='migrations.AlterOrderWithRespectTo("part", "box"),',
        rows=False,
    ),
    Case(
        "three_steps_in_one",
        add("IntegerField(null=True)")
        + "migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop),"
        + alter("extra", "IntegerField()"),
        ("add-nullable", "no-change", "set-not-null"),
        rows=False,
    ),
    Case(
        "three_steps_db_default",
        add("IntegerField(null=True, db_default=7)") + alter("extra", "IntegerField(db_default=7)"),
        ("add-db-default", "check-rows"),
        since=(5, 0),
    ),
    # columns go, or get other names
    Case("remove_field", 'migrations.RemoveField("part", "text"),', ("remove-column lost-data",)),
    Case("remove_nullable", 'migrations.RemoveField("part", "maybe"),', ("remove-column lost-data",)),
    Case("remove_fk", 'migrations.RemoveField("part", "box"),', ("remove-column lost-data",)),
    Case(
        "remove_m2m",
        'migrations.RemoveField("part", "boxes"),',
        ("remove-many-to-many",),
        first=add('ManyToManyField("LABEL.Box", related_name="+")', "boxes"),
        reads="part.boxes.all()",
    ),
    Case(
        "add_then_remove",
        add("IntegerField(null=True)") + 'migrations.RemoveField("part", "extra"),',
        ("add-nullable", "remove-unknown-column"),
    ),
    Case("state_only_not_null", state('migrations.RemoveField("part", "text")'), ("state-only-removal",)),
    Case("state_only_nullable", state('migrations.RemoveField("part", "maybe")'), ("no-change",)),
    Case(
        "drop_after_state",
        SQL_NULLABLE.format("DROP COLUMN text"),
        ("remove-unknown-column",),
        first=SQL_NULLABLE.format("ALTER COLUMN text DROP NOT NULL") + state('migrations.RemoveField("part", "text")'),
    ),
    Case(
        "separate_both",
        'migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("part", "text")], '
        'state_operations=[migrations.RemoveField("part", "text")]),',
        ("remove-column lost-data",),
    ),
    Case("rename_field", 'migrations.RenameField("part", "text", "words"),', ("rename-column",)),
    Case(
        "rename_kept_column",
        'migrations.RenameField("part", "old", "fresh"),',
        ("no-change",),
        first=add('IntegerField(null=True, db_column="kept")', "old"),
    ),
    Case("alter_db_column", alter("text", 'TextField(default="", db_column="words")'), ("rename-column",)),
)
