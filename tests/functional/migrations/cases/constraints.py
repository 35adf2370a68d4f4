"""Indexes and constraints."""

# ruff: noqa: E501 - an operation of a migration is easier to read in one line

from __future__ import annotations

from tests.functional.migrations.cases.case import Case

CASES = (
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
        writes=("dict(count=1)", "dict(count=1)"),
        rows=False,
    ),
    Case(
        "alter_constraint",
        'migrations.AlterConstraint("part", "ac_count", models.CheckConstraint(CHECK=Q(count__gte=0), name="ac_count", violation_error_message="no")),',
        ("no-change",),
        first='migrations.AddConstraint("part", models.CheckConstraint(CHECK=Q(count__gte=0), name="ac_count")),',
        since=(5, 2),
    ),
)

#: It is in no table of cases, because Django does not apply it.
NOT_ATOMIC = Case(
    "not_atomic",
    'pg.AddIndexConcurrently("part", models.Index(fields=["name"], name="not_atomic_i")),',
    ("add-index-concurrently not-atomic",),
)
