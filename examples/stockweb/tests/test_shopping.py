"""Shopping lists from the offers that are kept."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from parts.models import Part
from shops.models import Offer, Rate, Shop
from shops.shopping import low_needs, prices, rates, shopping_list
from stock import ledger
from tests.factories import Shelf, part

pytestmark = pytest.mark.django_db


def shop(name: str, currency: str = "EUR", shipping: str = "0") -> Shop:
    return Shop.objects.create(name=name, currency=currency, shipping=Decimal(shipping))


def offer(of: Part, at: Shop, breaks: dict[int, str], **more: Any) -> Offer:
    made = Offer.objects.create(part=of, shop=at, sku=f"{at.name}-{of.pk}", **more)
    for quantity, price in breaks.items():
        made.breaks.create(min_qty=quantity, unit_price=Decimal(price))
    return made


def test_each_part_is_bought_where_it_is_cheapest() -> None:
    one, other, unheard = part("One"), part("Other"), part("Unheard of")
    near, far = shop("Near", shipping="3"), shop("Far", shipping="9")
    offer(one, near, {1: "1"})
    offer(one, far, {1: "0.5"})
    offer(other, near, {1: "2", 10: "0.1"})
    found = shopping_list({one.pk: 4, other.pk: 3, unheard.pk: 1})
    bought = {each: (it.shop, it.quantity, it.cost) for each, it in found.combination.purchases.items()}
    assert bought == {one.pk: (far.pk, 4, Decimal(2)), other.pk: (near.pk, 10, Decimal(1))}
    assert found.combination.missing == [unheard.pk]
    with_shipping = shopping_list({one.pk: 4, other.pk: 3}, shipping=True)
    assert (with_shipping.combination.shops, with_shipping.combination.total) == ([near.pk], Decimal(8))
    assert shopping_list({one.pk: 4, other.pk: 3}, few=True).combination.shops == [near.pk]


def test_of_two_offers_of_one_shop_the_better_is_taken() -> None:
    it, at = part(), shop("Near")
    offer(it, at, {1: "1"})
    reel = Offer.objects.create(part=it, shop=at, sku="REEL", moq=100, multiple=100)
    reel.breaks.create(min_qty=100, unit_price=Decimal("0.009"))
    assert shopping_list({it.pk: 1}).combination.purchases[it.pk].offer == reel.pk
    assert next(each.sku for each, _ in prices(it.pk, 1)) == "REEL"


def test_currencies_are_compared_by_the_newest_rate_that_is_good() -> None:
    it = part()
    home, abroad = shop("Home"), shop("Abroad", "USD")
    offer(it, home, {1: "1"})
    offer(it, abroad, {1: "1.1"})
    found = shopping_list({it.pk: 1})
    assert (found.combination.shops, found.unpriced) == ([home.pk], ["USD"])
    today = dt.datetime.now(tz=dt.UTC).date()
    for days, worth in ((-30, "0.95"), (-1, "0.9"), (2, "0.1")):
        Rate.objects.create(currency="USD", day=today + dt.timedelta(days=days), worth=Decimal(worth))
    assert rates(["USD"])["USD"] == Decimal("0.9")
    found = shopping_list({it.pk: 1})
    assert (found.combination.shops, found.combination.total, found.unpriced) == ([abroad.pk], Decimal("0.99"), [])


def test_low_stock_is_what_the_minimum_lacks(stocked: Shelf) -> None:
    Part.objects.filter(pk=stocked.part.pk).update(min_qty=25)
    assert low_needs() == {stocked.part.pk: 15}
    ledger.add(stocked.part.pk, stocked.second.pk, 15)
    assert low_needs() == {}


def test_a_list_takes_three_queries_however_long(django_assert_num_queries: Any) -> None:
    places = [shop(f"Shop {number}", "USD") for number in range(3)]
    needs = {}
    for number in range(10):
        it = part(f"Part {number}")
        needs[it.pk] = 5
        for place in places:
            offer(it, place, {1: "1", 10: "0.5"})
    with django_assert_num_queries(3):
        shopping_list(needs, shipping=True, few=True)


@pytest.mark.parametrize(
    ("act", "constraint"),
    [
        (lambda it: offer(it, shop("A"), {1: "-1"}), "price_of_something"),
        (lambda it: offer(it, shop("A"), {0: "1"}), "price_of_something"),
        (lambda it: offer(it, shop("A"), {}, multiple=0), "offer_of_something"),
        (lambda _: shop("A", "euro"[:3]), "shop_has_a_currency"),
        (lambda _: Rate.objects.create(currency="USD", day="2026-01-01", worth=0), "rate_is_positive"),
    ],
)
def test_the_database_refuses(act: Any, constraint: str) -> None:
    it = part()
    with pytest.raises(IntegrityError, match=constraint):
        act(it)
