"""Migrations of a database that is in use, with the version before still writing to it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor

from parts.models import AttributeDefinition, AttributeValue
from parts.tasks import read_attributes
from stock import ledger
from stock.audit import discrepancies

BEFORE = [("parts", "0001_initial")]
BEFORE_COUNTS = [("stock", "0003_events"), ("parts", "0009_saved_requirements")]


#: Migrations that no version served before.
FIRST = [*BEFORE, ("stock", "0001_initial"), ("stock", "0002_movements_are_append_only"), ("stock", "0003_events")]


def migrate(targets: list[tuple[str, str]]) -> Any:
    """Migrate, and return the models as they are there."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.fixture
def before(transactional_db: None) -> Iterator[Any]:
    """The models of the version before, and its database; everything as it was afterwards."""
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield migrate(BEFORE)
    migrate(latest)


@pytest.fixture
def before_counts(transactional_db: None) -> Iterator[Any]:
    """The same, of the version that knew no counts."""
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield migrate(BEFORE_COUNTS)
    migrate(latest)


def test_the_models_have_no_other_migrations(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_a_migration_alters_one_table(transactional_db: None, capsys: pytest.CaptureFixture[str]) -> None:
    """One that holds a table and waits for another makes a deadlock with a query of the version that serves."""
    for app, name in MigrationExecutor(connection).loader.graph.nodes:
        if app in ("parts", "stock") and (app, name) not in FIRST:
            call_command("sqlmigrate", app, name)
            sql = capsys.readouterr().out
            made = set(re.findall(r'CREATE TABLE "(\w+)"', sql))
            altered = set(re.findall(r"(?:ALTER TABLE|CREATE TRIGGER [^;]*? ON) \"?(\w+)", sql))
            assert len(altered - made) <= 1, name


def test_values_get_typed_while_the_version_before_writes(before: Any) -> None:
    model = before.get_model
    resistor = model("parts", "PartType").objects.create(name="Resistor")
    capacitor = model("parts", "PartType").objects.create(name="Capacitor")
    definitions = {
        key: model("parts", "AttributeDefinition").objects.create(part_type=resistor, key=key, label=key, unit=unit)
        for key, unit in (("resistance", "ohm"), ("tolerance", "%"), ("supply", "V"), ("colour", ""), ("power", "W"))
    }
    part = model("parts", "Part").objects.create(type=resistor, name="Resistor")
    others = [model("parts", "Part").objects.create(type=resistor, name=f"Resistor {number}") for number in range(3)]
    old = model("parts", "AttributeValue").objects
    raws = {"resistance": "4k7", "tolerance": "±1%", "supply": "4.5-28V", "colour": "Red"}
    for key, raw in raws.items():
        old.create(part=part, definition=definitions[key], raw=raw)
    old.create(part=others[0], definition=definitions["resistance"], raw="about 10k")
    old.create(part=others[1], definition=definitions["resistance"], raw="10k")

    migrate([("parts", "0009_saved_requirements")])

    kinds = {each.key: (each.kind, each.match) for each in AttributeDefinition.objects.all()}
    assert kinds == {
        "resistance": ("quantity", "exact"),
        "tolerance": ("quantity", "lower"),
        "supply": ("range", "covers"),
        "colour": ("text", "one of"),
        "power": ("quantity", "higher"),
    }
    columns = ("definition__key", "num_lo", "num_hi", "text_value", "type")
    assert set(AttributeValue.objects.filter(part_id=part.pk).values_list(*columns)) == {
        ("resistance", 4700, 4700, "", resistor.pk),
        ("tolerance", 1, 1, "", resistor.pk),
        ("supply", 4.5, 28, "", resistor.pk),
        ("colour", None, None, "red", resistor.pk),
    }
    assert AttributeValue.objects.get(raw="about 10k").num_lo is None
    assert read_attributes() == 0

    # The version before goes on: it adds, changes and removes, and what nobody read is unknown until somebody does.
    old.create(part=others[2], definition=definitions["resistance"], raw="22k")
    changed = old.get(raw="4k7")
    changed.raw = "47k"
    changed.save()
    other = model("parts", "Part").objects.get(pk=others[1].pk)
    other.type = capacitor
    other.save()
    others[0].delete()
    model("parts", "AttributeDefinition").objects.create(part_type=capacitor, key="c", label="C", unit="F")
    found = dict(AttributeValue.objects.filter(definition__key="resistance").values_list("raw", "num_lo"))
    assert found == {"47k": None, "22k": None, "10k": 10_000}
    assert AttributeValue.objects.get(raw="10k").type_id == capacitor.pk
    assert read_attributes() == 2
    assert AttributeValue.objects.get(raw="47k").num_lo == 47_000


def test_the_version_before_changes_the_stock_while_counts_are_there(before_counts: Any) -> None:
    model = before_counts.get_model
    resistor = model("parts", "PartType").objects.create(name="Resistor")
    it = model("parts", "Part").objects.create(type=resistor, name="Resistor")
    outer = model("stock", "Box").objects.create(code="A")
    inner = model("stock", "Box").objects.create(code="B", parent=outer)
    lot = model("stock", "Lot").objects.create(part=it, box=inner, qty=3)
    old = model("stock", "Movement").objects
    old.create(lot=lot, delta=3, balance=3, reason="buy")

    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())

    ledger.count(it.pk, inner.pk, 5, roughly=True)
    model("stock", "Lot").objects.filter(pk=lot.pk).update(qty=4)
    old.create(lot=lot, delta=-1, balance=4, reason="use")
    model("stock", "Lot").objects.create(part=it, box=outer, qty=0)
    model("stock", "Box").objects.create(code="C", parent=inner)
    assert ledger.take(it.pk, inner.pk, 6).balance == 0
    assert discrepancies() == []
    with pytest.raises(IntegrityError, match="movement_says_something"):
        old.create(lot=lot, delta=0, balance=0, reason="use")
