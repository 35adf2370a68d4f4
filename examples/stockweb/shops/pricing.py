"""The cheapest way to buy a quantity of one offer. Pure; money is decimal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Price:
    """What a piece costs from a quantity on."""

    min_qty: int
    unit_price: Decimal


@dataclass(frozen=True)
class Terms:
    """What a shop wants for a part: at least ``moq``, in multiples, at prices in a currency that is worth so much."""

    offer: int
    shop: int
    prices: Sequence[Price]
    moq: int = 1
    multiple: int = 1
    worth: Decimal = Decimal(1)


@dataclass(frozen=True)
class Purchase:
    """So many pieces of an offer: ``unit_price`` in the shop's currency, ``cost`` of all in the one at home."""

    offer: int
    shop: int
    quantity: int
    unit_price: Decimal
    cost: Decimal


def cheapest(terms: Terms, quantity: int) -> Purchase | None:
    """Return the cheapest purchase of at least ``quantity`` pieces, of equal ones the smallest; None without a price.

    More may cost less: 90 pieces at 0.10 cost more than the hundred from which on they are 0.08. Within one price more
    pieces cost more, so the least quantity of each price is all there is to compare.
    """
    found = []
    for index, price in enumerate(prices := sorted(terms.prices, key=lambda each: each.min_qty)):
        ordered = _orderable(terms, max(quantity, price.min_qty))
        if index + 1 < len(prices) and ordered >= prices[index + 1].min_qty:
            continue  # the next price is the one for so many
        cost = ordered * price.unit_price * terms.worth
        found.append(Purchase(terms.offer, terms.shop, ordered, price.unit_price, cost))
    return cheapest_of(found)


def cheapest_of(purchases: Iterable[Purchase]) -> Purchase | None:
    """Return the cheapest, of equal ones the smallest."""
    return min(purchases, key=lambda each: (each.cost, each.quantity, each.shop, each.offer), default=None)


def _orderable(terms: Terms, quantity: int) -> int:
    """Return the least quantity that can be ordered and is enough."""
    return -(-max(quantity, terms.moq) // terms.multiple) * terms.multiple
