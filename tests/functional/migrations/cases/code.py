"""Extensions and collations, and what runs Python or SQL."""

from __future__ import annotations

from tests.functional.migrations.cases.case import SQL_NULLABLE, Case

CASES = (
    # the database itself
    Case("extension", 'pg.CreateExtension("plpgsql"),', ("extension",)),
    Case("extension_class", "pg.TrigramExtension(),", ("extension",)),
    Case("collation", 'pg.CreateCollation("LABEL_c", locale="C"),', ("collation",)),
    Case(
        "remove_collation",
        'pg.RemoveCollation("rc_c", locale="C"),',
        ("remove-collation",),
        first='pg.CreateCollation("rc_c", locale="C"),',
        reads='parts.order_by(Collate("name", "rc_c"))',
    ),
    # code
    Case("run_python", "migrations.RunPython(lambda apps, editor: None, migrations.RunPython.noop),", ("python",)),
    Case("run_python_one_way", "migrations.RunPython(lambda apps, editor: None),", ("python no-way-back",)),
    Case("run_python_noop", "migrations.RunPython(migrations.RunPython.noop),", ("no-change",)),
    Case("own_operation", 'Own("SELECT 1"),', ("own-operation no-way-back",)),
    Case(
        "run_python_breaks",
        "migrations.RunPython(lambda apps, editor: editor.execute('ALTER TABLE \"LABEL_part\" RENAME text TO words'), "
        "migrations.RunPython.noop),",
        ("python",),
        breaks=True,
    ),
    Case(
        "run_sql_breaks",
        "migrations.RunSQL('DO $$ BEGIN ALTER TABLE \"LABEL_part\" RENAME text TO words; END $$', "
        "migrations.RunSQL.noop),",
        ("sql",),
        breaks=True,
    ),
    Case(
        "own_breaks",
        "Own('ALTER TABLE \"LABEL_part\" RENAME text TO words'),",
        ("own-operation no-way-back",),
        breaks=True,
    ),
    Case("odd_operation", "Odd(),", ("own-operation",)),
    Case("run_sql_unknown", 'migrations.RunSQL("DO $$ BEGIN NULL; END $$"),', ("sql no-way-back",)),
    Case("run_sql_noop", 'migrations.RunSQL(migrations.RunSQL.noop, ""),', ("no-change",)),
    Case("run_sql_drop", SQL_NULLABLE.format("DROP COLUMN text"), ("remove-column",)),
    Case("run_sql_rename", SQL_NULLABLE.format("RENAME COLUMN text TO words"), ("rename-column",)),
    Case(
        "run_sql_index",
        "migrations.RunSQL('CREATE INDEX sql_i ON \"LABEL_part\" (name)', migrations.RunSQL.noop),",
        ("add-index",),
    ),
    Case(
        "run_sql_concurrently",
        "migrations.RunSQL('CREATE INDEX CONCURRENTLY sql_c ON \"LABEL_part\" (name)', migrations.RunSQL.noop),",
        ("add-index-concurrently",),
        atomic=False,
    ),
    Case("run_sql_default", SQL_NULLABLE.format("ADD COLUMN extra integer NOT NULL DEFAULT 3"), ("add-db-default",)),
    Case(
        "run_sql_volatile",
        SQL_NULLABLE.format("ADD COLUMN extra uuid NOT NULL DEFAULT gen_random_uuid()"),
        ("add-volatile",),
    ),
    Case("run_sql_not_null", SQL_NULLABLE.format("ADD COLUMN extra integer NOT NULL"), ("add-not-null",), rows=False),
    Case(
        "run_sql_fk_in_two",
        SQL_NULLABLE.format('ADD CONSTRAINT two_fk FOREIGN KEY (maybe) REFERENCES "LABEL_part" (id) NOT VALID'),
        ("add-check-not-valid",),
        writes=("dict(maybe=10**6)",),
    ),
)
