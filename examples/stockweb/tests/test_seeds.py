"""The seed data."""

import re
from collections import Counter

import pytest
from django.core.management import call_command
from django.db.models import F, Q

from parts.models import AttributeDefinition, AttributeValue, Part
from stock import ledger
from stock.audit import discrepancies
from stock.models import Box, Lot, Movement
from stock.seeds.catalogue import BOXES, TYPES, parts


def test_about_two_hundred_parts_each_with_a_number_of_its_own() -> None:
    seeds = list(parts())
    assert 180 <= len(seeds) <= 250
    assert max(Counter((seed.mpn, seed.manufacturer) for seed in seeds).values()) == 1
    assert max(Counter(seed.name for seed in seeds).values()) == 1
    assert list(parts()) == seeds


def test_every_part_fits_its_type_and_lies_in_a_box_that_exists() -> None:
    codes = {code for code, *_ in BOXES}
    for seed in parts():
        lineage = [seed.type[:depth] for depth in range(1, len(seed.type) + 1)]
        known = {attribute.key: attribute for each in lineage for attribute in TYPES[each]}
        assert set(seed.values) <= set(known), seed.name
        assert {key for key, attribute in known.items() if attribute.required} <= set(seed.values), seed.name
        assert set(seed.stock) <= codes, seed.name
        assert all(quantity > 0 for quantity in seed.stock.values())


def test_resistances_are_written_as_people_do() -> None:
    values = [seed.values["resistance"] for seed in parts() if "resistance" in seed.values]
    assert {"10R", "470R", "1k", "4k7", "47k", "820k"} <= set(values)
    assert all(re.fullmatch(r"\d{1,3}[RkM]\d?", value) for value in values)


@pytest.mark.django_db
def test_every_value_of_the_seeds_says_something() -> None:
    call_command("seed_data")
    said = Q(num_lo__isnull=False) | ~Q(text_value="")
    assert [f"{each}" for each in AttributeValue.objects.exclude(said)] == []
    assert not AttributeValue.objects.exclude(type=F("part__type")).exists()
    for definition in AttributeDefinition.objects.select_related("part_type"):
        definition.full_clean()
    assert set(AttributeDefinition.objects.values_list("kind", flat=True)) == set(AttributeDefinition.Kind.values)
    capacitor = AttributeValue.objects.get(part__mpn="C0805C475M9PAC", definition__key="capacitance")
    assert (capacitor.raw, capacitor.num_lo) == ("4u7F", 4.7e-6)
    supply = AttributeValue.objects.get(part__mpn="MP1584EN-LF-Z", definition__key="supply")
    assert (supply.num_lo, supply.num_hi) == (4.5, 28)


@pytest.mark.django_db
def test_seeding_twice_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seed_data")
    tables = (Part, AttributeValue, Box, Lot, Movement)
    before = [table.objects.count() for table in tables]
    timer = Part.objects.get(mpn="NE555P")
    Part.objects.filter(pk=timer.pk).update(name="My timer")
    ledger.take(timer.pk, timer.lots.get().box_id, 38)
    call_command("seed_data")
    assert [table.objects.count() for table in tables] == [*before[:-1], before[-1] + 1]
    assert Part.objects.get(mpn="NE555P").name == "My timer"
    assert timer.lots.get().qty == 0
    assert capsys.readouterr().out.splitlines()[1] == "0 new parts, 0 new movements"
    assert discrepancies() == []
