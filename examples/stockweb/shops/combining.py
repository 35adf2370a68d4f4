"""Which shops to buy a list of parts from. Pure.

Each part is bought from one shop. Where neither shipping nor the number of shops matters, every part is simply bought
where it is cheapest. Otherwise it is a facility-location problem, which nobody solves fast in general: up to
:data:`EXACT_SHOPS` shops all sets of them are tried, beyond that shops are dropped, added and exchanged as long as that
helps, which finds a good set and perhaps not the best (``exact`` says which).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from shops.pricing import Purchase, cheapest_of

EXACT_SHOPS = 12
_NEVER = Decimal("Infinity")

#: By part, the best purchase in each shop that has it.
Choices = Mapping[int, Mapping[int, Purchase]]
#: How many shops matter (0 if that does not matter), then what it costs.
Score = tuple[int, Decimal]


@dataclass(frozen=True)
class Combination:
    """What is bought, by part, and what it costs with shipping. ``missing`` parts are sold by nobody."""

    purchases: Mapping[int, Purchase]
    missing: Sequence[int]
    shipping: Decimal
    exact: bool

    @property
    def shops(self) -> list[int]:
        """The shops that are ordered from."""
        return sorted({each.shop for each in self.purchases.values()})

    @property
    def total(self) -> Decimal:
        """What goods and shipping cost."""
        return sum((each.cost for each in self.purchases.values()), self.shipping)


def combine(choices: Choices, shipping: Mapping[int, Decimal], *, few: bool = False) -> Combination:
    """Return the cheapest combination; with ``few``, the cheapest of those with as few shops as possible.

    ``shipping`` is what an order costs, by shop; none is meant where a shop is absent.
    """
    offered = {part: by_shop for part, by_shop in choices.items() if by_shop}
    missing = [part for part in choices if part not in offered]
    shops = sorted({shop for by_shop in offered.values() for shop in by_shop})
    if not few and not any(shipping.get(shop) for shop in shops):
        chosen, exact = shops, True
    else:
        problem = _Problem(shops, list(offered.values()), shipping, few)
        exact = len(shops) <= EXACT_SHOPS
        chosen = problem.best() if exact else problem.good()
    purchases = {part: _bought(by_shop, chosen) for part, by_shop in offered.items()}
    used = {each.shop for each in purchases.values()}
    return Combination(purchases, missing, sum((shipping.get(shop, Decimal(0)) for shop in used), Decimal(0)), exact)


def _bought(by_shop: Mapping[int, Purchase], chosen: Collection[int]) -> Purchase:
    found = cheapest_of(purchase for shop, purchase in by_shop.items() if shop in chosen)
    assert found is not None, "a set of shops that lacks a part is never chosen"
    return found


@dataclass(frozen=True)
class _Problem:
    shops: Sequence[int]
    parts: Sequence[Mapping[int, Purchase]]
    shipping: Mapping[int, Decimal]
    few: bool

    def best(self) -> list[int]:
        """Try all sets of shops. What each part costs is kept along the way, so a set costs one look at each part."""
        nothing = [_NEVER] * len(self.parts)
        found = min(self._sets(0, [], nothing, Decimal(0)), key=lambda each: (each[0], each[1]))
        return found[1]

    def _sets(
        self, index: int, chosen: list[int], costs: list[Decimal], shipping: Decimal
    ) -> Iterator[tuple[Score, list[int]]]:
        if index == len(self.shops):
            yield (len(chosen) if self.few else 0, sum(costs, shipping)) if _NEVER not in costs else _WORST, chosen
            return
        shop = self.shops[index]
        yield from self._sets(index + 1, chosen, costs, shipping)
        here = [part[shop].cost if shop in part else _NEVER for part in self.parts]
        cheaper = list(map(min, costs, here))
        if cheaper != costs:  # a shop that makes nothing cheaper is not visited
            yield from self._sets(index + 1, [*chosen, shop], cheaper, shipping + self.shipping.get(shop, Decimal(0)))

    def good(self) -> list[int]:
        """Begin with all shops and improve as long as dropping, adding or exchanging one does."""
        chosen = set(self.shops)
        score = self._score(chosen)
        while True:
            for neighbours in (self._dropped, self._added, self._exchanged):
                better, at = min(
                    ((self._score(each), sorted(each)) for each in neighbours(chosen)), default=(score, [])
                )
                if better < score:
                    chosen, score = set(at), better
                    break
            else:
                return sorted(chosen)

    def _dropped(self, chosen: set[int]) -> Iterator[set[int]]:
        return (chosen - {shop} for shop in chosen)

    def _added(self, chosen: set[int]) -> Iterator[set[int]]:
        return (chosen | {shop} for shop in self.shops if shop not in chosen)

    def _exchanged(self, chosen: set[int]) -> Iterator[set[int]]:
        return (each - {shop} for each in self._added(chosen) for shop in chosen)

    def _score(self, chosen: Collection[int]) -> Score:
        cost = sum((self.shipping.get(shop, Decimal(0)) for shop in chosen), Decimal(0))
        for part in self.parts:
            cost += min((part[shop].cost for shop in chosen if shop in part), default=_NEVER)
        return (len(chosen) if self.few else 0, cost) if cost < _NEVER else _WORST


#: Of a set of shops that lacks a part.
_WORST: Score = (10**9, _NEVER)
