"""What an operation means, as a pure function: what the tried cases cannot show."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.project.migrations import columntypes
from seatrial.project.migrations.classify import classify
from seatrial.project.migrations.operations import Field, Model, Operation, read
from seatrial.project.migrations.rules import KINDS, RULES
from seatrial.project.migrations.sql import judged, statements

PART = Model("Part", "stock_part", real=True)
KNOWN = {"stock_part": ["id", "name", "Old"]}
TEXT = Field(column="name", type="varchar(20)")


def operation(kind: str, **values: object) -> Operation:
    usual: dict[str, object] = {"old": PART, "new": PART, "model": "Part", "class_name": kind}
    return Operation(kind, "stock", "0007_change", **{**usual, **values})  # type: ignore[arg-type] # by name


def rules(of: Operation, known: dict[str, list[str]] | None = None) -> list[str]:
    return [each.rule.id for each in classify(of, known)]


def test_nobody_knows_what_an_operation_of_ones_own_does() -> None:
    assert rules(operation("", bases=("RunPython", "Operation"))) == ["own-operation"]
    assert rules(operation("Something", bases=("Operation",))) == ["own-operation"]


def test_a_class_of_djangos_falls_under_its_nearest_base() -> None:
    assert rules(operation("HStoreExtension", bases=("HStoreExtension", "CreateExtension", "Operation"))) == [
        "extension"
    ]


def test_a_concurrent_index_in_a_transaction_is_refused_by_django() -> None:
    assert rules(operation("AddIndexConcurrently")) == ["add-index-concurrently", "not-atomic"]
    assert rules(operation("AddIndexConcurrently", atomic=False)) == ["add-index-concurrently"]


def test_what_the_serving_version_does_not_know_it_cannot_miss() -> None:
    gone = operation("RemoveField", field="fresh", before=replace(TEXT, column="fresh"))
    assert rules(gone) == ["remove-column", "lost-data"]
    assert rules(gone, KNOWN) == ["remove-unknown-column"]
    assert rules(operation("DeleteModel"), {}) == ["remove-unknown-table"]
    many = operation("RemoveField", before=Field(many=True, table="stock_part_boxes"))
    assert rules(many, KNOWN) == ["remove-unknown-column"]
    assert rules(many, {**KNOWN, "stock_part_boxes": ["id"]}) == ["remove-many-to-many"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (Field(column="n", type="integer", null=True), Field(column="n", type="integer"), ["set-not-null"]),
        (
            Field(column="n", type="integer", null=True, db_default="Value"),
            Field(column="n", type="integer", db_default="Value"),
            ["check-rows"],
        ),
        (Field(column="n", type="integer"), Field(column="m", type="integer"), ["no-change"]),
        (Field(column="n", type="bigint"), Field(column="n", type="integer"), ["rewrite-type"]),
        (Field(column="n", type="integer"), Field(column="n", type="integer", unique=True), ["add-index"]),
        (
            Field(column="n", type="integer", db_default="Value"),
            Field(column="n", type="integer", db_default="Value", unique=True),
            ["add-unique"],
        ),
        (Field(column="n", type="integer"), Field(column="n", type="integer", to="stock_box"), ["check-rows"]),
    ],
)
def test_a_column_that_only_the_new_version_knows(before: Field, after: Field, expected: list[str]) -> None:
    assert rules(operation("AlterField", before=before, after=after), KNOWN) == expected


def test_the_state_alone() -> None:
    gone = operation("RemoveField", field="name", before=TEXT)
    assert rules(operation("SeparateDatabaseAndState", states=(gone,))) == ["state-only-removal"]
    sql_ = operation("RunSQL", sql=('ALTER TABLE "stock_part" ALTER "name" DROP NOT NULL',))
    assert rules(operation("SeparateDatabaseAndState", states=(gone,), parts=(sql_,))) == ["drop-not-null"]
    assert rules(operation("SeparateDatabaseAndState")) == ["no-change"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", ["no-change"]),
        ("-- nothing\n", ["no-change"]),
        ('ALTER TABLE "stock_part" DROP COLUMN "name" CASCADE', ["remove-column"]),
        ('ALTER TABLE stock_part DROP "Old", DROP fresh', ["remove-column", "remove-unknown-column"]),
        ("alter table public.stock_part rename to parts", ["rename-table"]),
        ("ALTER TABLE stock_part RENAME name TO title", ["sql"]),
        ("ALTER TABLE stock_part ADD n int", ["add-nullable"]),
        ("ALTER TABLE stock_part ADD COLUMN n int NOT NULL DEFAULT random()", ["add-volatile"]),
        ("ALTER TABLE stock_part ADD COLUMN at timestamptz NOT NULL DEFAULT now()", ["add-db-default"]),
        ("ALTER TABLE stock_part ADD n int REFERENCES stock_box (id)", ["add-indexed"]),
        (
            "ALTER TABLE stock_part ALTER COLUMN name SET NOT NULL; DROP TABLE stock_box",
            ["set-not-null", "remove-unknown-table"],
        ),
        ("DROP TABLE stock_part CASCADE", ["remove-table"]),
        ("ALTER TABLE other ALTER COLUMN name SET NOT NULL", ["new-table"]),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON stock_part (name)", ["add-unique"]),
        ("CREATE INDEX IF NOT EXISTS i ON stock_part (lower(name))", ["add-index"]),
        ("DROP INDEX CONCURRENTLY i", ["drop-index"]),
        ("ALTER TABLE stock_part VALIDATE CONSTRAINT c", ["validate"]),
        ("ALTER TABLE stock_part ADD CONSTRAINT c CHECK (name <> '; DROP TABLE x') NOT VALID", ["add-check-not-valid"]),
        ("ALTER TABLE stock_part ADD CONSTRAINT c CHECK (name IN ('a, b', 'c'))", ["add-check"]),
        ("UPDATE stock_part SET name = 'x'", ["sql"]),
        ("CREATE FUNCTION f() RETURNS int AS $$ SELECT 1; $$ LANGUAGE sql", ["sql"]),
        ("VACUUM; SET lock_timeout = '1s'", ["sql", "no-change"]),
    ],
)
def test_statements_that_people_write(sql: str, expected: list[str]) -> None:
    assert [rule for rule, _ in judged([sql], KNOWN)] == expected


@given(
    st.lists(st.sampled_from(["SELECT 1", "SELECT ';'", 'SELECT ";"', "SELECT $x$;$x$", "SELECT (';')"]), max_size=5)
)
def test_statements_are_split_only_between_them(parts: list[str]) -> None:
    assert statements(" ; -- a ; b\n".join(parts)) == parts


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("varchar(20)", "varchar(20)", "same"),
        ("varchar(20)", "varchar(21)", "widen"),
        ("varchar(20)", "varchar", "widen"),
        ("varchar(20)", "text", "widen"),
        ("text", "varchar", "widen"),
        ("text", "varchar(20)", "narrow"),
        ("varchar", "varchar(20)", "narrow"),
        ("smallint", "bigint", "rewrite"),
        ("bigint", "integer", "narrow"),
        ("real", "double precision", "rewrite"),
        ("numeric(6, 2)", "numeric(8, 2)", "widen"),
        ("numeric(6, 2)", "numeric(6, 3)", "narrow"),
        ("numeric(6, 2)", "numeric(8, 3)", "rewrite"),
        ("numeric(6, 2)", "numeric", "widen"),
        ("numeric", "numeric(6, 2)", "narrow"),
        ("varchar(20)[]", "varchar(30)[]", "rewrite"),
        ("varchar(20)[]", "text[]", "rewrite"),
        ("integer", "text", "other"),
        ("timestamp with time zone", "date", "other"),
        ("vector(3)", "geometry(POINT,4326)", "other"),
    ],
)
def test_types(old: str, new: str, expected: str) -> None:
    assert columntypes.change(old, new) == expected


def test_rules_are_whole_sentences_with_a_known_class() -> None:
    for rule in RULES.values():
        assert rule.kind in KINDS
        assert rule.reason
        assert not rule.reason.endswith(".")
        assert bool(rule.way_out) == (rule.kind != "expand"), rule.id


def test_operations_of_the_same_name_are_numbered() -> None:
    raw = {"kind": "RunPython", "class": "RunPython", "bases": [], "reversible": True, "code": "fill", "noop": False}
    found = read([{"app": "stock", "name": "0008_fill", "atomic": True, "operations": [raw, raw]}])
    assert [each.name for each in found] == ["stock.0008_fill:RunPython fill", "stock.0008_fill:RunPython fill #2"]
