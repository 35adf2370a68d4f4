"""Shops, which parts of the catalogue they sell, and what they want for them. Pure, as the catalogue is."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from seeds.catalogue import PartSeed, parts, spread

#: What one unit of a currency is worth in euros, and since when.
WORTHS: Mapping[str, Decimal] = {"EUR": Decimal(1), "GBP": Decimal("1.15"), "USD": Decimal("0.92")}
WORTHS_SINCE = dt.date(2026, 1, 2)


@dataclass(frozen=True)
class ShopSeed:
    """A shop: it sells parts with one of its ``tags`` at ``level`` times what is usual; what costs little, in packs."""

    name: str
    url: str
    currency: str
    shipping: Decimal
    numbers: str
    tags: frozenset[str]
    level: Decimal
    packs: int = 1


SHOPS = (
    ShopSeed(
        name="Corner Components",
        url="https://corner.example/",
        currency="EUR",
        shipping=Decimal("3.90"),
        numbers="CC",
        tags=frozenset({"tht", "basic"}),
        level=Decimal("1.3"),
    ),
    ShopSeed(
        name="Island Components",
        url="https://island.example/",
        currency="GBP",
        shipping=Decimal("7.50"),
        numbers="IC",
        tags=frozenset({"smd", "power", "audio"}),
        level=Decimal("0.9"),
        packs=10,
    ),
    ShopSeed(
        name="Overseas Components",
        url="https://overseas.example/",
        currency="USD",
        shipping=Decimal(18),
        numbers="OC",
        tags=frozenset({"basic", "wifi"}),
        level=Decimal("0.6"),
        packs=100,
    ),
)


@dataclass(frozen=True)
class OfferSeed:
    """A part under the number of a shop. ``breaks`` are prices in its currency and the quantities they begin at."""

    shop: ShopSeed
    part: PartSeed
    sku: str
    packs: int
    breaks: Sequence[tuple[int, Decimal]]


#: What one piece usually costs in euros, by type or one above it.
_USUAL: Mapping[tuple[str, ...], Decimal] = {
    ("Resistor",): Decimal("0.02"),
    ("Capacitor", "Ceramic"): Decimal("0.05"),
    ("Capacitor", "Electrolytic"): Decimal("0.25"),
    ("Inductor",): Decimal("0.40"),
    ("Semiconductor",): Decimal("0.12"),
    ("Integrated circuit",): Decimal("0.60"),
    ("Integrated circuit", "Microcontroller"): Decimal("2.60"),
    ("Integrated circuit", "Sensor"): Decimal("3.10"),
    ("Connector",): Decimal("0.30"),
    ("Crystal",): Decimal("0.35"),
    ("Switch",): Decimal("0.70"),
}
#: What costs less than this is sold in packs.
_CHEAP = Decimal("0.10")
#: From so many packs on, a piece costs so much less.
_DISCOUNTS = ((1, Decimal(1)), (10, Decimal("0.8")), (100, Decimal("0.6")))


def offers() -> Iterator[OfferSeed]:
    """Yield what each shop sells: of common parts all of them, of others one or two, of some none."""
    for shop in SHOPS:
        for number, part in enumerate(parts(), start=400):
            if shop.tags.isdisjoint(part.tags.split()):
                continue
            usual = _usual(part) * spread(number, 70, 140) / 100
            packs = shop.packs if usual < _CHEAP else 1
            price = usual * shop.level / WORTHS[shop.currency]
            breaks = [(packs * many, round(price * factor, 4)) for many, factor in _DISCOUNTS]
            yield OfferSeed(shop, part, f"{shop.numbers}-{part.mpn}", packs, breaks)


def _usual(part: PartSeed) -> Decimal:
    lineage = (part.type[:depth] for depth in range(len(part.type), 0, -1))
    return next(_USUAL[each] for each in lineage if each in _USUAL)
