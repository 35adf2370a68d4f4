"""What the pages show, to whom, and with how many queries."""

from typing import Any

import pytest
from django.test import Client

from parts.models import AttributeDefinition, AttributeValue, PartType
from stock import ledger
from stock.models import Box
from tests.factories import Shelf, part

pytestmark = pytest.mark.django_db

ALL_PAGES = ["/", "/parts/", "/parts/{part}/", "/boxes/", "/boxes/A1/", "/types/"]


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("path", ALL_PAGES)
def test_every_page_is_open_to_visitors_and_offers_them_no_change(client: Client, stocked: Shelf, path: str) -> None:
    page = text(client, path.format(part=stocked.part.pk))
    assert "Log in" in page
    assert '<form method="post"' not in page
    assert 'name="quantity"' not in page


@pytest.mark.parametrize("path", ALL_PAGES)
def test_every_page_works_for_the_keeper(kept: Client, stocked: Shelf, path: str) -> None:
    assert "Log out keeper" in text(kept, path.format(part=stocked.part.pk))


def test_home_shows_what_is_low_and_what_was_done(client: Client, stocked: Shelf) -> None:
    part("Plenty", min_qty=0)
    low = part("Transistor BC547", min_qty=7)
    ledger.add(low.pk, stocked.first.pk, 2)
    page = text(client, "/")
    assert "Transistor BC547" in page.split('id="latest"')[0]
    assert "2 of 7" in page
    assert "Plenty" not in page
    assert "+10" in page.split('id="latest"')[1]


def test_the_list_shows_stock_boxes_and_values(client: Client, stocked: Shelf) -> None:
    ledger.add(stocked.part.pk, stocked.second.pk, 5)
    resistance = AttributeDefinition.objects.create(
        part_type=stocked.part.type, key="r", label="Resistance", unit="ohm"
    )
    AttributeValue.objects.create(part=stocked.part, definition=resistance, raw="4k7")
    page = text(client, "/parts/")
    for shown in ("Resistor 4k7", ">15<", "/boxes/A1/", "/boxes/A2/", ">4k7<", "1 part"):
        assert shown in page


def test_the_list_searches_and_filters_by_type_and_those_below(client: Client) -> None:
    above = PartType.objects.create(name="Capacitor")
    below = PartType.objects.create(name="Ceramic", parent=above)
    part("Resistor 10k")
    part("Capacitor 10n", type=below)
    assert "Resistor 10k" not in text(client, f"/parts/?type={above.pk}")
    assert "Capacitor 10n" in text(client, f"/parts/?type={above.pk}&q=capcitor")
    assert "No part matches" in text(client, f"/parts/?type={above.pk}&q=resistor")


@pytest.mark.parametrize("query", ["type=nonsense", "type=999999", "page=0", "page=999", "page=-1", "q=%00", "type=²"])
def test_the_list_bears_nonsense(client: Client, stocked: Shelf, query: str) -> None:
    assert "Resistor 4k7" in text(client, f"/parts/?{query}")


def test_the_list_has_pages(client: Client) -> None:
    for number in range(60):
        part(f"Part {number:02}")
    first, second, third = (text(client, f"/parts/?page={number}") for number in (1, 2, 3))
    assert "60 parts" in first
    assert ("Part 24" in first, "Part 25" in first) == (True, False)
    assert ("Part 25" in second, "Part 59" in third) == (True, True)
    assert ('rel="prev"' in first, 'rel="next"' in first) == (False, True)
    assert ('rel="prev"' in third, 'rel="next"' in third) == (True, False)


@pytest.mark.parametrize("parts", [1, 25])
def test_the_list_takes_five_queries_however_long_it_is(
    client: Client, django_assert_num_queries: Any, stocked: Shelf, parts: int
) -> None:
    for number in range(parts):
        ledger.add(part(f"Part {number}").pk, stocked.first.pk, 1)
    with django_assert_num_queries(5):  # types, count, parts, lots, attributes
        client.get("/parts/?q=part")


@pytest.mark.parametrize(
    ("path", "queries"),
    [("/", 3), ("/parts/{part}/", 5), ("/boxes/", 2), ("/boxes/A1/", 3), ("/types/", 2), ("/api/v1/parts/{part}", 4)],
)
def test_pages_take_a_fixed_number_of_queries(
    client: Client, django_assert_num_queries: Any, stocked: Shelf, path: str, queries: int
) -> None:
    for number in range(10):
        other = part(f"Part {number}", min_qty=3)
        ledger.add(other.pk, stocked.first.pk, 1)
        ledger.undo(ledger.take(stocked.part.pk, stocked.first.pk, 1).movement)
    with django_assert_num_queries(queries):
        client.get(path.format(part=stocked.part.pk))


def test_visitors_get_a_page_from_memory_for_a_moment(
    client: Client, django_assert_num_queries: Any, stocked: Shelf
) -> None:
    before = client.get("/parts/").content
    ledger.take(stocked.part.pk, stocked.first.pk, 1)
    with django_assert_num_queries(0):
        kept = client.get("/parts/")
    assert kept.content == before
    assert kept["Vary"] == "Cookie"


def test_the_keeper_always_sees_the_stock_as_it_is(client: Client, kept: Client, stocked: Shelf) -> None:
    Client().get("/parts/")
    ledger.take(stocked.part.pk, stocked.first.pk, 1)
    page = text(kept, "/parts/")
    assert ">9<" in page
    assert "Log out keeper" not in text(Client(), "/parts/")


def test_a_part_shows_its_history_and_where_it_is(client: Client, stocked: Shelf) -> None:
    ledger.take(stocked.part.pk, stocked.first.pk, 3)
    page = text(client, f"/parts/{stocked.part.pk}/")
    for shown in ("−3", "+10", "taken from", ": 7 there", "/boxes/A1/"):
        assert shown in page


def test_a_box_shows_what_is_in_it_and_what_it_stands_in(client: Client, stocked: Shelf) -> None:
    Box.objects.create(code="A1-1", parent=stocked.first)
    assert "Resistor 4k7" in text(client, "/boxes/A1/")
    assert "/boxes/A1-1/" in text(client, "/boxes/A1/")
    assert "/boxes/A1/" in text(client, "/boxes/A1-1/")
    assert "Nothing in here" in text(client, "/boxes/A2/")


def test_types_count_the_parts_below_them(client: Client) -> None:
    above = PartType.objects.create(name="Capacitor")
    part("100n", type=PartType.objects.create(name="Ceramic", parent=above))
    page = text(client, "/types/")
    assert page.count('<span class="muted">1</span>') == 2


@pytest.mark.parametrize(
    "path", ["/parts/1234/", "/boxes/NONE/", "/boxes/a1/", "/nowhere", "/parts/99999999999999999999/"]
)
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content


def test_what_people_write_is_shown_as_text(client: Client) -> None:
    part("<script>alert(1)</script>", description="<b>bold</b>")
    assert "<script" not in text(client, "/parts/")
    assert "<script" not in text(client, "/parts/?q=<script>alert")
