"""Columns change."""

from __future__ import annotations

from tests.functional.migrations.cases.case import Case, add, alter

CASES = (
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
        writes=("dict(box_id=1)",),
        rows=False,
    ),
    Case(
        "int_to_fk",
        alter("maybe", 'ForeignKey("LABEL.Part", models.CASCADE, null=True, related_name="+", db_column="maybe")'),
        ("add-reference add-index",),
        writes=("dict(maybe=10**6)",),
    ),
)
