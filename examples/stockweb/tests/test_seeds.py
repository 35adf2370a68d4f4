"""The seed data."""

import re
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F, Q

from parts.models import AttributeDefinition, AttributeValue, Part
from projects.models import BomLine, Project
from projects.report import Status, report
from projects.shopping import lacking
from seeds.assortments import SHOPS, offers
from seeds.catalogue import BOXES, TYPES, parts
from seeds.plant import plant_offers
from shops.models import Offer, PriceBreak, Rate, Shop
from shops.shopping import low_needs, shopping_list
from stock import ledger
from stock.audit import discrepancies
from stock.models import Box, Lot, Movement


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


def test_most_parts_are_sold_common_ones_by_all() -> None:
    sold = Counter((offer.part.mpn, offer.part.manufacturer) for offer in offers())
    assert len(list(parts())) * 9 // 10 < len(sold) < len(list(parts()))
    assert set(sold.values()) == set(range(1, len(SHOPS) + 1))
    assert max(Counter(offer.sku for offer in offers()).values()) == 1
    for offer in offers():
        quantities, prices = zip(*offer.breaks, strict=True)
        assert quantities[0] == offer.packs
        assert list(quantities) == sorted(quantities)
        assert list(prices) == sorted(prices, reverse=True)
        assert prices[-1] > 0


@pytest.mark.django_db
def test_one_project_can_be_built_and_another_shows_what_can_be_amiss() -> None:
    call_command("seed_data")
    supply, station = (report(Project.objects.get(name=name)) for name in ("Breadboard supply", "Weather station"))
    assert supply.whole
    assert supply.buildable >= supply.boards
    amiss = {each.line.refs[0]: each.status for each in station.lines if each.status != Status.HAVE}
    assert amiss == {
        "U3": Status.SHORT,
        "C7": Status.MISSING,
        "Q1": Status.ALTERNATIVES,
        "J2": Status.NOT_PLACED,
        "ANT1": Status.UNKNOWN,
    }


@pytest.mark.django_db
def test_what_runs_low_can_be_bought() -> None:
    call_command("seed_data")
    found = shopping_list(low_needs())
    assert len(found.combination.shops) > 1
    assert found.unpriced == []
    assert found.combination.missing == []
    assert shopping_list(lacking(report(Project.objects.get(name="Weather station")))).combination.total > 0


@pytest.mark.django_db
def test_rates_are_to_the_currency_at_home(settings: Any) -> None:
    settings.HOME_CURRENCY = "GBP"
    plant_offers()
    assert dict(Rate.objects.values_list("currency", "worth")) == {
        "EUR": Decimal("0.869565217"),
        "USD": Decimal("0.800000000"),
    }
    Rate.objects.all().delete()
    settings.HOME_CURRENCY = "CHF"
    plant_offers()
    assert not Rate.objects.exists()


@pytest.mark.django_db
def test_seeding_twice_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seed_data")
    tables = (Part, AttributeValue, Box, Lot, Shop, Offer, PriceBreak, Rate, Project, BomLine, Movement)
    before = [table.objects.count() for table in tables]
    timer = Part.objects.get(mpn="NE555P")
    Part.objects.filter(pk=timer.pk).update(name="My timer")
    ledger.take(timer.pk, timer.lots.get().box_id, 38)
    Shop.objects.filter(name="Corner Components").update(shipping=0)
    Project.objects.filter(name="Weather station").update(boards=1)
    call_command("seed_data")
    assert [table.objects.count() for table in tables] == [*before[:-1], before[-1] + 1]
    assert Part.objects.get(mpn="NE555P").name == "My timer"
    assert timer.lots.get().qty == 0
    assert Shop.objects.get(name="Corner Components").shipping == 0
    assert Project.objects.get(name="Weather station").boards == 1
    assert capsys.readouterr().out.splitlines()[1] == "0 new parts, 0 new movements, 0 new offers, 0 new projects"
    assert discrepancies() == []
