"""``/shops``, ``/parts/7/offers`` with prices, and ``/rates`` between currencies. Money is text: ``"0.021500"``."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.http import Http404
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, asked, described, given
from api.errors import Problem, invalid
from api.money import Currency, Money, money
from api.parts import no_part
from parts.models import Part
from shops.models import Offer, PriceBreak, Rate, Shop
from shops.pricing import Purchase
from shops.shopping import prices

_MOST = 2_147_483_647


class ShopInput(serializers.Serializer):
    """A shop as it is written."""

    name = serializers.CharField(max_length=80)
    url = serializers.URLField(max_length=200, allow_blank=True, default="")
    currency = Currency()
    shipping = Money(decimal_places=2, min_value=0, default=0, help_text="for an order, in its currency")


class ShopBody(ShopInput):
    """A shop, and how many parts it offers."""

    id = serializers.IntegerField()
    offers = serializers.IntegerField()


class ShopsBody(serializers.Serializer):
    """All shops, by name."""

    items = ShopBody(many=True)


class PriceInput(serializers.Serializer):
    """What a piece costs from a quantity on."""

    min_qty = serializers.IntegerField(min_value=1, max_value=_MOST)
    unit_price = Money(min_value=0)


class OfferInput(serializers.Serializer):
    """An offer as it is written. Prices replace those that are there."""

    shop = serializers.IntegerField(help_text="the id of a shop")
    sku = serializers.CharField(max_length=80, help_text="the shop's order number")
    url = serializers.URLField(max_length=200, allow_blank=True, default="")
    moq = serializers.IntegerField(min_value=1, max_value=_MOST, default=1, help_text="the least it sells")
    multiple = serializers.IntegerField(min_value=1, max_value=_MOST, default=1, help_text="sold in multiples of this")
    prices = PriceInput(many=True, default=list)

    def validate_prices(self, found: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """Refuse two prices for one quantity."""
        if len({each["min_qty"] for each in found}) < len(found):
            raise serializers.ValidationError("one price for each quantity")
        return found


class PurchaseBody(serializers.Serializer):
    """So many pieces of an offer. More than were asked for may cost less."""

    quantity = serializers.IntegerField()
    unit_price = Money(help_text="in the shop's currency")
    cost = Money(help_text="of all, in the currency at home")


class OfferBody(OfferInput):
    """An offer, with the best purchase of so many as were asked for."""

    id = serializers.IntegerField()
    part = serializers.IntegerField()
    shop_name = serializers.CharField()
    currency = serializers.CharField()
    purchase = PurchaseBody(allow_null=True, help_text="null without a price, or without a rate of the currency")


class OffersBody(serializers.Serializer):
    """The offers of a part, the cheapest first."""

    items = OfferBody(many=True)


class OfferQuery(serializers.Serializer):
    """How many are to be bought."""

    quantity = serializers.IntegerField(min_value=1, max_value=1_000_000_000, default=1)


class RateBody(serializers.Serializer):
    """What one unit of a currency is worth in the currency at home, from a day on."""

    currency = Currency()
    day = serializers.DateField()
    worth = Money(max_digits=18, decimal_places=9)

    def validate_worth(self, worth: Any) -> Any:
        """Refuse what nothing can be worth."""
        if worth <= 0:
            raise serializers.ValidationError("a rate is positive")
        return worth


class RatesBody(serializers.Serializer):
    """All rates, by currency, the newest first."""

    items = RateBody(many=True)


_EXAMPLE = OpenApiExample(
    "a reel",
    {"shop": 1, "sku": "603-RC0805", "moq": 10, "prices": [{"min_qty": 1, "unit_price": "0.021500"}]},
    request_only=True,
)


class Shops(Resource):
    """All shops."""

    needs = {"POST": "shops.add_shop"}

    @described("listShops", ShopsBody)
    def get(self, _request: Request) -> Response:
        """List all shops."""
        return Response({"items": [_shop(each) for each in _shops()]})

    @described("createShop", ShopBody, status=201, body=ShopInput, refuses=[409])
    def post(self, request: Request) -> Response:
        """Make a shop."""
        return Response(_written(Shop(), given(ShopInput, request)), status=201)


class OneShop(Resource):
    """A shop."""

    needs = {"PATCH": "shops.change_shop", "DELETE": "shops.delete_shop"}

    @described("getShop", ShopBody)
    def get(self, _request: Request, pk: int) -> Response:
        """Show a shop."""
        return Response(_shop(_one(pk)))

    @described("updateShop", ShopBody, body=ShopInput, refuses=[409])
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        return Response(_written(_one(pk), given(ShopInput, request, partial=True)))

    @described("deleteShop", status=204)
    def delete(self, _request: Request, pk: int) -> Response:
        """Delete a shop with all that it offers."""
        _one(pk).delete()
        return Response(status=204)


class Offers(Resource):
    """The offers of a part."""

    needs = {"POST": "shops.add_offer"}

    @described("listOffers", OffersBody, query=OfferQuery)
    def get(self, request: Request, pk: int) -> Response:
        """List who sells a part, and at what price so many of it."""
        _known(pk)
        found = prices(pk, asked(OfferQuery, request)["quantity"])
        return Response({"items": [_offer(offer, purchase) for offer, purchase in found]})

    @described("createOffer", OfferBody, status=201, body=OfferInput, refuses=[409], examples=[_EXAMPLE])
    def post(self, request: Request, pk: int) -> Response:
        """Write down an offer."""
        _known(pk)
        return Response(_offered(Offer(part_id=pk), given(OfferInput, request)), status=201)


class OneOffer(Resource):
    """An offer."""

    needs = {"PATCH": "shops.change_offer", "DELETE": "shops.delete_offer"}

    @described("getOffer", OfferBody, query=OfferQuery)
    def get(self, request: Request, pk: int) -> Response:
        """Show an offer, and at what price so many."""
        return Response(_told(_one_offer(pk), asked(OfferQuery, request)["quantity"]))

    @described("updateOffer", OfferBody, body=OfferInput, refuses=[409])
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named; all prices, where they are."""
        return Response(_offered(_one_offer(pk), given(OfferInput, request, partial=True)))

    @described("deleteOffer", status=204)
    def delete(self, _request: Request, pk: int) -> Response:
        """Delete an offer."""
        _one_offer(pk).delete()
        return Response(status=204)


class Rates(Resource):
    """Rates between currencies."""

    needs = {"PUT": "shops.add_rate"}

    @described("listRates", RatesBody)
    def get(self, _request: Request) -> Response:
        """List what currencies are and were worth."""
        return Response({"items": [_rate(each) for each in Rate.objects.all()]})

    @described("setRate", RateBody, body=RateBody)
    def put(self, request: Request) -> Response:
        """Say what a currency is worth from a day on; the same day again replaces it."""
        values = given(RateBody, request)
        if values["day"] < dt.date(1900, 1, 1):
            raise invalid({"day": "that was too long ago"})
        which = {"currency": values["currency"], "day": values["day"]}
        rate, _ = Rate.objects.update_or_create(**which, defaults={"worth": values["worth"]})
        return Response(_rate(rate))


def purchase_body(purchase: Purchase) -> dict[str, Any]:
    """Return a purchase as it is told."""
    return {"quantity": purchase.quantity, "unit_price": money(purchase.unit_price), "cost": money(purchase.cost)}


def _shops() -> Any:
    return Shop.objects.annotate(offered=Count("offers")).order_by("name")


def _one(pk: int) -> Shop:
    shop = _shops().filter(pk=pk).first()
    if shop is None:
        raise Http404(f"there is no shop {pk}")
    return shop


def _shop(shop: Any) -> dict[str, Any]:
    columns = ("id", "name", "url", "currency")
    return {
        **{name: getattr(shop, name) for name in columns},
        "shipping": money(shop.shipping),
        "offers": shop.offered,
    }


def _written(shop: Shop, values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        setattr(shop, name, value)
    if Shop.objects.filter(name=shop.name).exclude(pk=shop.pk).exists():
        raise Problem(409, "name-taken", f"there is a shop {shop.name}")
    shop.save()
    return _shop(_one(shop.pk))


def _known(pk: int) -> None:
    if not Part.objects.filter(pk=pk).exists():
        raise no_part(pk)


def _one_offer(pk: int) -> Offer:
    offer = Offer.objects.select_related("shop").filter(pk=pk).first()
    if offer is None:
        raise Http404(f"there is no offer {pk}")
    return offer


def _offered(offer: Offer, values: dict[str, Any]) -> dict[str, Any]:
    """Write an offer with its prices, all of it or nothing."""
    found = values.pop("prices", None)
    if "shop" in values:
        offer.shop_id = values.pop("shop")
        if not Shop.objects.filter(pk=offer.shop_id).exists():
            raise invalid({"shop": f"there is no shop {offer.shop_id}"})
    for name, value in values.items():
        setattr(offer, name, value)
    if Offer.objects.filter(shop=offer.shop_id, sku=offer.sku).exclude(pk=offer.pk).exists():
        raise Problem(409, "number-taken", f"the shop has an offer {offer.sku}")
    with transaction.atomic():
        offer.save()
        if found is not None:
            offer.breaks.all().delete()
            PriceBreak.objects.bulk_create(PriceBreak(offer=offer, **each) for each in found)
    return _told(_one_offer(offer.pk), 1)


def _told(offer: Offer, quantity: int) -> dict[str, Any]:
    found = dict(prices(offer.part_id, quantity))
    return _offer(offer, found.get(offer))


def _offer(offer: Offer, purchase: Purchase | None) -> dict[str, Any]:
    columns = ("id", "sku", "url", "moq", "multiple")
    return {
        **{name: getattr(offer, name) for name in columns},
        "part": offer.part_id,
        "shop": offer.shop_id,
        "shop_name": offer.shop.name,
        "currency": offer.shop.currency,
        "prices": [{"min_qty": each.min_qty, "unit_price": money(each.unit_price)} for each in offer.breaks.all()],
        "purchase": None if purchase is None else purchase_body(purchase),
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {"currency": rate.currency, "day": rate.day, "worth": money(rate.worth)}
