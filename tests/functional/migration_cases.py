"""One migration each: what it does, under which rules it falls, and what the version before may write.

Every case is an application of its own with two migrations, in files that Django 4.2, 5.2 and 6.x load: ``0001_before``
makes ``Box`` and ``Part`` (and what the case adds to them), ``0002_change`` does what is judged.
"""

# ruff: noqa: E501 - an operation of a migration is easier to read in one line

from __future__ import annotations

from dataclasses import dataclass

PART = """\
migrations.CreateModel("Box", [("id", models.BigAutoField(primary_key=True)), ("code", models.CharField(max_length=20))]),
migrations.CreateModel("Part", [
    ("id", models.AutoField(primary_key=True)),
    ("name", models.CharField(max_length=20)),
    ("short", models.CharField(max_length=20, db_index=True)),
    ("code", models.CharField(max_length=20, unique=True)),
    ("text", models.TextField(default="")),
    ("maybe", models.IntegerField(null=True)),
    ("count", models.IntegerField(default=0)),
    ("price", models.DecimalField(max_digits=6, decimal_places=2, default=0)),
    ("box", models.ForeignKey("LABEL.Box", models.CASCADE, null=True)),
], options={"indexes": [models.Index(fields=["count"], name="LABEL_count")]}),
"""
HEAD = """\
import django.contrib.postgres.indexes
import django.contrib.postgres.operations as pg
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now


class Own(migrations.RunSQL):
    def database_forwards(self, *args):
        pass


class Odd(migrations.operations.base.Operation):
    @property
    def name(self):
        raise ValueError("it cannot be described")

    def state_forwards(self, *args):
        pass

    database_forwards = state_forwards


class Migration(migrations.Migration):
    atomic = ATOMIC
    initial = INITIAL
    dependencies = DEPENDENCIES
    operations = [
OPERATIONS
    ]
"""


@dataclass(frozen=True)
class Case:
    """``rules`` are those of every operation of ``change``, in order. ``since`` and ``until`` are Django versions.

    ``writes`` are values of a Part that the version before may write, over the usual ones. ``reads`` is a
    query of its own, of ``parts`` or a ``part``. ``rows`` is False where the tables stay empty, ``new`` where the model Part does not stay as it is.
    """

    name: str
    change: str
    rules: tuple[str, ...]
    first: str = ""
    writes: tuple[str, ...] = ()
    reads: str = ""
    since: tuple[int, int] = (4, 2)
    until: tuple[int, int] = (99, 0)
    atomic: bool = True
    rows: bool = True
    new: bool = True

    def on(self, django: tuple[int, int]) -> bool:
        return self.since <= django <= self.until

    def files(self, django: tuple[int, int]) -> dict[str, str]:
        """Return the files of the application, by path."""
        second = HEAD.replace("ATOMIC", str(self.atomic)).replace("INITIAL", "False")
        second = second.replace("DEPENDENCIES", f'[("{self.name}", "0001_before")]').replace("OPERATIONS", self.change)
        first = HEAD.replace("ATOMIC", "True").replace("INITIAL", "True").replace("DEPENDENCIES", "[]")
        first = first.replace("OPERATIONS", PART + self.first)
        check = "condition" if django >= (5, 1) else "check"
        first, second = (each.replace("LABEL", self.name).replace("CHECK=", f"{check}=") for each in (first, second))
        return {
            f"{self.name}/__init__.py": "",
            f"{self.name}/migrations/__init__.py": "",
            f"{self.name}/migrations/0001_before.py": first,
            f"{self.name}/migrations/0002_change.py": second,
        }


def add(text: str, name: str = "extra") -> str:
    return f'migrations.AddField("part", "{name}", models.{text}),'


def alter(name: str, text: str) -> str:
    return f'migrations.AlterField("part", "{name}", models.{text}),'


def state(text: str) -> str:
    return f"migrations.SeparateDatabaseAndState(state_operations=[{text}], database_operations=[]),"


SQL_NULLABLE = "migrations.RunSQL('ALTER TABLE \"LABEL_part\" {}', migrations.RunSQL.noop),"

CASES = (
    # tables
    Case(
        "create_model",
        'migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True))]),',
        ("new-table",),
    ),
    Case(
        "create_with_fk",
        'migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True)), '
        '("part", models.ForeignKey("LABEL.Part", models.CASCADE))]),',
        ("new-table-references",),
    ),
    Case(
        "create_and_index",
        'migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True)), ("n", models.IntegerField())]),'
        'migrations.AddIndex("bin", models.Index(fields=["n"], name="create_and_index_n")),'
        'migrations.AddField("bin", "x", models.IntegerField(default=0)),',
        ("new-table", "new-table", "new-table"),
    ),
    Case(
        "create_proxy",
        'migrations.CreateModel("Px", [], options={"proxy": True}, bases=("LABEL.part",)),',
        ("no-change",),
    ),
    Case(
        "create_unmanaged",
        'migrations.CreateModel("View", [("id", models.BigAutoField(primary_key=True))], options={"managed": False}),',
        ("no-change",),
    ),
    Case(
        "create_swapped",
        'migrations.CreateModel("Gadget", [("id", models.BigAutoField(primary_key=True))], '
        'options={"swappable": "GADGET_MODEL"}),',
        ("no-change",),
    ),
    Case("delete_model", 'migrations.DeleteModel("Part"),', ("remove-table lost-data",), new=False),
    Case(
        "delete_proxy",
        'migrations.DeleteModel("Px"),',
        ("no-change",),
        first='migrations.CreateModel("Px", [], options={"proxy": True}, bases=("LABEL.part",)),',
    ),
    Case(
        "delete_unmanaged",
        'migrations.DeleteModel("View"),',
        ("no-change",),
        first='migrations.CreateModel("View", [("id", models.BigAutoField(primary_key=True))], options={"managed": False}),',
    ),
    Case(
        "create_then_delete",
        'migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True))]), migrations.DeleteModel("Bin"),',
        ("new-table", "remove-unknown-table"),
    ),
    Case("rename_model", 'migrations.RenameModel("Part", "Piece"),', ("rename-table",), new=False),
    Case(
        "rename_kept_table",
        'migrations.RenameModel("Bin", "Tray"),',
        ("no-change",),
        first='migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True))], options={"db_table": "kept_bin"}),',
    ),
    Case("alter_table", 'migrations.AlterModelTable("part", "rk_pieces"),', ("rename-table",)),
    Case("alter_table_same", 'migrations.AlterModelTable("part", "LABEL_part"),', ("no-change",)),
    Case("table_comment", 'migrations.AlterModelTableComment("part", "what it is"),', ("comment",)),
    Case(
        "options_only",
        'migrations.AlterModelOptions("part", {"verbose_name": "piece", "ordering": ["name"]}),',
        ("no-change",),
    ),
    Case(
        "managers_only",
        'migrations.AlterModelManagers("part", [("things", models.Manager())]),',
        ("no-change",),
        new=False,
    ),
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
    # columns change
    Case(
        "verbose_name", alter("name", 'CharField(max_length=20, verbose_name="label", help_text="x")'), ("no-change",)
    ),
    Case("choices", alter("name", 'CharField(max_length=20, choices=[("a", "b")])'), ("no-change",)),
    Case("blank_only", alter("name", "CharField(max_length=20, blank=True)"), ("no-change",)),
    Case("python_default", alter("count", "IntegerField(default=9)"), ("no-change",)),
    Case(
        "null_to_not_null", alter("maybe", "IntegerField(default=0)"), ("set-not-null",), writes=("dict(maybe=None)",)
    ),
    Case("not_null_to_null", alter("count", "IntegerField(null=True)"), ("drop-not-null",)),
    Case("longer", alter("name", "CharField(max_length=40)"), ("widen",)),
    Case("longer_indexed", alter("short", "CharField(max_length=40, db_index=True)"), ("widen",)),
    Case("longer_unique", alter("code", "CharField(max_length=40, unique=True)"), ("widen",)),
    Case("char_to_text", alter("name", "TextField()"), ("widen",)),
    Case(
        "array_longer",
        'migrations.AlterField("part", "tags", ArrayField(models.CharField(max_length=30), null=True)),',
        ("rewrite-type",),
        first='migrations.AddField("part", "tags", ArrayField(models.CharField(max_length=20), null=True)),',
    ),
    Case(
        "array_to_text",
        'migrations.AlterField("part", "tags", ArrayField(models.TextField(), null=True)),',
        ("rewrite-type",),
        first='migrations.AddField("part", "tags", ArrayField(models.CharField(max_length=20), null=True)),',
    ),
    Case("shorter", alter("name", "CharField(max_length=10)"), ("narrow",), writes=('dict(name="x" * 20)',)),
    Case(
        "text_to_char",
        alter("text", 'CharField(max_length=10, default="")'),
        ("narrow",),
        writes=('dict(text="x" * 20)',),
    ),
    Case("int_to_bigint", alter("count", "BigIntegerField(default=0)"), ("rewrite-type",)),
    Case(
        "bigint_to_int",
        alter("big", "IntegerField(default=0)"),
        ("narrow",),
        first=add("BigIntegerField(default=0)", "big"),
        writes=("dict(big=2**40)",),
    ),
    Case("int_to_small", alter("count", "SmallIntegerField(default=0)"), ("narrow",), writes=("dict(count=70000)",)),
    Case(
        "int_to_positive", alter("count", "PositiveIntegerField(default=0)"), ("add-check",), writes=("dict(count=-1)",)
    ),
    Case("int_to_text", alter("count", 'TextField(default="0")'), ("change-type",), reads="parts.filter(count=1)"),
    Case("text_to_json", alter("text", "JSONField(default=dict)"), ("change-type",), rows=False),
    Case("more_digits", alter("price", "DecimalField(max_digits=9, decimal_places=2, default=0)"), ("widen",)),
    Case("more_places", alter("price", "DecimalField(max_digits=9, decimal_places=4, default=0)"), ("rewrite-type",)),
    Case(
        "fewer_digits",
        alter("price", "DecimalField(max_digits=4, decimal_places=2, default=0)"),
        ("narrow",),
        writes=("dict(price=999)",),
    ),
    Case("bigger_key", alter("id", "BigAutoField(primary_key=True)"), ("rewrite-type",)),
    Case(
        "other_key",
        alter("id", "IntegerField(default=0)") + alter("code", "CharField(max_length=20, primary_key=True)"),
        ("change-key", "change-key"),
    ),
    Case("to_index", alter("name", "CharField(max_length=20, db_index=True)"), ("add-index",)),
    Case("from_index", alter("short", "CharField(max_length=20)"), ("drop-index",)),
    Case(
        "to_unique",
        alter("name", "CharField(max_length=20, unique=True)"),
        ("add-unique",),
        writes=('dict(name="same")', 'dict(name="same")'),
    ),
    Case("from_unique", alter("code", "CharField(max_length=20)"), ("drop-unique",)),
    Case(
        "to_collation",
        alter("short", 'CharField(max_length=20, db_index=True, db_collation="C")'),
        ("change-collation",),
    ),
    Case("column_comment", alter("name", 'CharField(max_length=20, db_comment="what")'), ("comment",)),
    Case("to_db_default", alter("count", "IntegerField(db_default=3)"), ("set-db-default",), since=(5, 0)),
    Case(
        "from_db_default",
        alter("level", "IntegerField(default=0)"),
        ("drop-db-default",),
        first=add("IntegerField(db_default=3)", "level"),
        since=(5, 0),
    ),
    Case("fk_on_delete", alter("box", 'ForeignKey("LABEL.Box", models.PROTECT, null=True)'), ("no-change",)),
    Case(
        "fk_on_delete_in_database",
        alter("box", 'ForeignKey("LABEL.Box", models.DB_SET_NULL, null=True)'),
        ("check-rows",),
        since=(6, 1),
    ),
    Case(
        "fk_no_constraint",
        alter("box", 'ForeignKey("LABEL.Box", models.CASCADE, null=True, db_constraint=False)'),
        ("drop-reference",),
    ),
    Case(
        "fk_other_table",
        'migrations.CreateModel("Bin", [("id", models.BigAutoField(primary_key=True))]),'
        + alter("box", 'ForeignKey("LABEL.Bin", models.CASCADE, null=True)'),
        ("new-table", "add-reference"),
        rows=False,
    ),
    Case(
        "int_to_fk",
        alter("maybe", 'ForeignKey("LABEL.Part", models.CASCADE, null=True, related_name="+", db_column="maybe")'),
        ("add-reference add-index",),
        writes=("dict(maybe=10**6)",),
    ),
    # indexes and constraints
    Case(
        "add_index", 'migrations.AddIndex("part", models.Index(fields=["name"], name="add_index_i")),', ("add-index",)
    ),
    Case(
        "add_index_concurrently",
        'pg.AddIndexConcurrently("part", models.Index(fields=["name"], name="add_index_c")),',
        ("add-index-concurrently",),
        atomic=False,
    ),
    Case("remove_index", 'migrations.RemoveIndex("part", "LABEL_count"),', ("drop-index",)),
    Case(
        "remove_index_concurrently", 'pg.RemoveIndexConcurrently("part", "LABEL_count"),', ("drop-index",), atomic=False
    ),
    Case(
        "rename_index",
        'migrations.RenameIndex("part", new_name="renamed_i", old_name="LABEL_count"),',
        ("rename-index",),
    ),
    Case(
        "unique_together",
        'migrations.AlterUniqueTogether("part", {("name", "text")}),',
        ("add-unique",),
        writes=('dict(name="same", text="")', 'dict(name="same", text="")'),
    ),
    Case(
        "drop_unique_together",
        'migrations.AlterUniqueTogether("part", set()),',
        ("drop-unique",),
        first='migrations.AlterUniqueTogether("part", {("name", "code")}),',
    ),
    Case("index_together", 'migrations.AlterIndexTogether("part", {("name", "text")}),', ("add-index",), until=(5, 0)),
    Case(
        "unique_constraint",
        'migrations.AddConstraint("part", models.UniqueConstraint(fields=["name"], name="uc_name")),',
        ("add-unique",),
        writes=('dict(name="same")', 'dict(name="same")'),
    ),
    Case(
        "unique_condition",
        'migrations.AddConstraint("part", models.UniqueConstraint(fields=["name"], condition=Q(count__gt=0), name="uc_cond")),',
        ("add-unique",),
        writes=('dict(name="same", count=1)', 'dict(name="same", count=1)'),
    ),
    Case(
        "remove_constraint",
        'migrations.RemoveConstraint("part", "rc_name"),',
        ("drop-unique",),
        first='migrations.AddConstraint("part", models.UniqueConstraint(fields=["name", "code"], name="rc_name")),',
    ),
    Case(
        "check_constraint",
        'migrations.AddConstraint("part", models.CheckConstraint(CHECK=Q(count__gte=0), name="cc_count")),',
        ("add-check",),
        writes=("dict(count=-1)",),
    ),
    Case(
        "check_not_valid",
        'pg.AddConstraintNotValid("part", models.CheckConstraint(CHECK=Q(count__gte=0), name="cn_count")),',
        ("add-check-not-valid",),
        writes=("dict(count=-1)",),
    ),
    Case(
        "validate",
        'pg.ValidateConstraint("part", "va_count"),',
        ("validate",),
        first='pg.AddConstraintNotValid("part", models.CheckConstraint(CHECK=Q(count__gte=0), name="va_count")),',
    ),
    Case(
        "exclusion",
        'migrations.AddConstraint("part", ExclusionConstraint(name="ex_count", expressions=[(Func(F("count"), F("count"), Value("[]"), function="int4range"), "&&")])),',
        ("add-exclusion",),
        rows=False,
    ),
    Case(
        "alter_constraint",
        'migrations.AlterConstraint("part", "ac_count", models.CheckConstraint(CHECK=Q(count__gte=0), name="ac_count", violation_error_message="no")),',
        ("no-change",),
        first='migrations.AddConstraint("part", models.CheckConstraint(CHECK=Q(count__gte=0), name="ac_count")),',
        since=(5, 2),
    ),
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
