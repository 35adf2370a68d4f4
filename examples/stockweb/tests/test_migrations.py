"""Migrations of a database that is in use, with the version before still writing to it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from parts.models import AttributeDefinition, AttributeValue
from parts.tasks import read_attributes

BEFORE = [("parts", "0001_initial")]


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


def test_the_models_have_no_other_migrations(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_a_migration_alters_one_table(transactional_db: None, capsys: pytest.CaptureFixture[str]) -> None:
    """One that holds a table and waits for another makes a deadlock with a query of the version that serves."""
    for app, name in MigrationExecutor(connection).loader.graph.nodes:
        if app == "parts" and (app, name) not in BEFORE:
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
