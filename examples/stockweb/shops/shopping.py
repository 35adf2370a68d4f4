"""What to buy where for what is missing, from the offers that are kept. Three queries, however long the list is."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from shops.combining import Combination, combine
from shops.models import Offer, Rate
from shops.pricing import Price, Purchase, Terms, cheapest
from stock.low_stock import low_parts


@dataclass(frozen=True)
class ShoppingList:
    """What is bought where. ``unpriced`` are currencies without a rate: their offers are not compared."""

    needs: Mapping[int, int]
    combination: Combination
    offers: Mapping[int, Offer]
    unpriced: Sequence[str]

    @property
    def currency(self) -> str:
        """That of all costs."""
        return settings.HOME_CURRENCY


def shopping_list(needs: Mapping[int, int], *, shipping: bool = False, few: bool = False) -> ShoppingList:
    """Return the cheapest way to buy so many of each part, with shipping or without, from few shops or any."""
    offers = _offers(needs)
    worths = rates({offer.shop.currency for offer in offers.values()})
    choices: dict[int, dict[int, Purchase]] = {part: {} for part, quantity in needs.items() if quantity > 0}
    for offer in offers.values():
        worth, by_shop = worths.get(offer.shop.currency), choices.get(offer.part_id)
        if worth is None or by_shop is None:
            continue
        bought = cheapest(terms(offer, worth), needs[offer.part_id])
        there = by_shop.get(offer.shop_id)
        if bought and (there is None or (bought.cost, bought.quantity) < (there.cost, there.quantity)):
            by_shop[offer.shop_id] = bought
    costs = {
        offer.shop_id: offer.shop.shipping * worths[offer.shop.currency]
        for offer in offers.values()
        if shipping and offer.shop.currency in worths
    }
    unpriced = sorted({offer.shop.currency for offer in offers.values()} - worths.keys())
    return ShoppingList(needs, combine(choices, costs, few=few), offers, unpriced)


def prices(part: int, quantity: int) -> list[tuple[Offer, Purchase | None]]:
    """Return every offer of a part with its purchase of so many, the cheapest first, those without a price last."""
    offers = _offers([part])
    worths = rates({offer.shop.currency for offer in offers.values()})
    found = [
        (
            offer,
            cheapest(terms(offer, worths[offer.shop.currency]), quantity) if offer.shop.currency in worths else None,
        )
        for offer in offers.values()
    ]
    return sorted(found, key=lambda each: (each[1] is None, each[1].cost if each[1] else 0, each[0].pk))


def low_needs() -> dict[int, int]:
    """Return how many of each part its minimum lacks."""
    return {part.pk: part.min_qty - part.total for part in low_parts()}


def rates(currencies: Collection[str], day: dt.date | None = None) -> dict[str, Decimal]:
    """Return what one of each currency is worth at home on a day (today); those without a rate are absent."""
    known = Rate.objects.filter(currency__in=currencies, day__lte=day or timezone.now().date())
    newest = dict(known.order_by("day").values_list("currency", "worth"))  # the last of a currency stays
    return {**newest, settings.HOME_CURRENCY: Decimal(1)}


def terms(offer: Offer, worth: Decimal) -> Terms:
    """Return an offer, with its shop and prices read, as it is calculated with."""
    found = [Price(each.min_qty, each.unit_price) for each in offer.breaks.all()]
    return Terms(offer.pk, offer.shop_id, found, offer.moq, offer.multiple, worth)


def _offers(parts: Collection[int]) -> dict[int, Offer]:
    offers = Offer.objects.filter(part__in=list(parts)).select_related("shop").prefetch_related("breaks")
    return {offer.pk: offer for offer in offers.order_by("pk")}
