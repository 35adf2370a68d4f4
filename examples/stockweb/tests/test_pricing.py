"""Buying at the best price, compared with trying everything. No database."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shops import combining
from shops.combining import Choices, combine
from shops.pricing import Price, Purchase, Terms, cheapest

CENTS = st.integers(0, 400).map(lambda cents: Decimal(cents) / 100)
PRICES = st.dictionaries(st.integers(1, 40), CENTS, min_size=1, max_size=4)


def terms(prices: dict[int, str], **more: int) -> Terms:
    return Terms(1, 1, [Price(*each) for each in ((at, Decimal(price)) for at, price in prices.items())], **more)


@pytest.mark.parametrize(
    ("prices", "more", "wanted", "quantity", "cost"),
    [
        ({1: "0.10"}, {}, 7, 7, "0.70"),
        ({1: "0.10", 100: "0.08"}, {}, 79, 79, "7.90"),
        ({1: "0.10", 100: "0.08"}, {}, 80, 80, "8.00"),  # the same, and fewer to put away
        ({1: "0.10", 100: "0.08"}, {}, 81, 100, "8.00"),
        ({100: "0.08", 1: "0.10"}, {}, 250, 250, "20.00"),
        ({1: "0.10"}, {"moq": 10}, 3, 10, "1.00"),
        ({1: "0.10"}, {"multiple": 8}, 9, 16, "1.60"),
        ({1: "0.10"}, {"moq": 10, "multiple": 8}, 3, 16, "1.60"),
        ({1: "1", 10: "0.80"}, {"multiple": 4}, 7, 8, "8"),
        ({1: "1", 10: "0.50"}, {"multiple": 4}, 7, 12, "6"),
        ({25: "0.50"}, {}, 3, 25, "12.50"),  # sold from 25 on
        ({1: "0.021500"}, {}, 3, 3, "0.0645"),
    ],
)
def test_one_offer(prices: dict[int, str], more: dict[str, int], wanted: int, quantity: int, cost: str) -> None:
    found = cheapest(terms(prices, **more), wanted)
    assert found is not None
    assert (found.quantity, found.cost) == (quantity, Decimal(cost))


def test_without_a_price_nothing_is_bought() -> None:
    assert cheapest(terms({}), 1) is None


@given(PRICES, st.integers(1, 50), st.integers(1, 20), st.integers(1, 9))
def test_no_other_quantity_is_cheaper(prices: dict[int, Decimal], wanted: int, moq: int, multiple: int) -> None:
    offer = Terms(1, 1, [Price(*each) for each in prices.items()], moq, multiple)
    possible = {}
    for quantity in range(max(wanted, moq), 120):
        reached = [at for at in prices if at <= quantity]
        if quantity % multiple == 0 and reached:
            possible[quantity] = quantity * prices[max(reached)]
    found = cheapest(offer, wanted)
    assert found is not None
    assert found.cost == possible[found.quantity] == min(possible.values())
    assert found.quantity == min(each for each, cost in possible.items() if cost == found.cost)


SHOPS = st.integers(1, 5)
CHOICES = st.dictionaries(st.integers(1, 5), st.dictionaries(SHOPS, CENTS, max_size=4), max_size=5).map(
    lambda parts: {
        part: {shop: Purchase(10 * part + shop, shop, 1, cost, cost) for shop, cost in by_shop.items()}
        for part, by_shop in parts.items()
    }
)
SHIPPING = st.dictionaries(SHOPS, CENTS)


def tried(choices: Choices, shipping: dict[int, Decimal], *, few: bool) -> tuple[int, Decimal]:
    """Try every purchase of every part with every other."""
    scores = []
    for bought in product(*(by_shop.values() for by_shop in choices.values() if by_shop)):
        shops = {each.shop for each in bought}
        cost = sum((each.cost for each in bought), Decimal(0))
        cost += sum((shipping.get(shop, Decimal(0)) for shop in shops), Decimal(0))
        scores.append((len(shops) if few else 0, cost))
    return min(scores)


@given(CHOICES, SHIPPING, st.booleans())
def test_no_other_combination_is_better(choices: Choices, shipping: dict[int, Decimal], few: bool) -> None:
    found = combine(choices, shipping, few=few)
    assert (len(found.shops) if few else 0, found.total) == tried(choices, shipping, few=few)
    assert found.exact
    assert sorted([*found.purchases, *found.missing]) == sorted(choices)
    assert all(not choices[part] for part in found.missing)


@given(CHOICES, SHIPPING, st.booleans())
def test_beyond_what_is_tried_out_every_part_is_bought_and_never_worse_than_everywhere(
    choices: Choices, shipping: dict[int, Decimal], few: bool
) -> None:
    shops = sorted({shop for by_shop in choices.values() for shop in by_shop})
    problem = combining._Problem(shops, [each for each in choices.values() if each], shipping, few)  # noqa: SLF001
    good = problem._score(problem.good())  # noqa: SLF001
    assert tried(choices, shipping, few=few) <= good <= problem._score(shops)  # noqa: SLF001


def test_many_shops_are_said_to_be_no_proof() -> None:
    shops = range(combining.EXACT_SHOPS + 3)
    choices = {
        part: {shop: Purchase(shop, shop, 1, Decimal(cost), Decimal(cost)) for shop in shops}
        for part, cost in ((1, 1), (2, 2))
    }
    found = combine(choices, dict.fromkeys(shops, Decimal(5)))
    assert (found.total, len(found.shops), found.exact) == (Decimal(8), 1, False)
    assert combine(choices, {}).exact
