"""``/shopping-list``: what to buy where, for what runs low or for a project."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, asked, described
from api.errors import bad_parameters
from api.money import Money, money
from api.shops import PurchaseBody, purchase_body
from parts.models import Part
from projects.models import Project
from projects.report import MOST_BOARDS, report
from projects.shopping import lacking
from shops.shopping import ShoppingList, low_needs, shopping_list


class ShoppingQuery(serializers.Serializer):
    """For what, and what matters."""

    project = serializers.IntegerField(required=False, help_text="an id; without one, for what runs low")
    boards = serializers.IntegerField(required=False, min_value=1, max_value=MOST_BOARDS, help_text="of the project")
    shipping = serializers.BooleanField(default=False, help_text="what an order costs counts")
    few = serializers.BooleanField(default=False, help_text="as few shops as possible, then the cheapest of these")


class ItemBody(PurchaseBody):
    """What is bought of a part."""

    part = serializers.IntegerField()
    part_name = serializers.CharField()
    mpn = serializers.CharField()
    needed = serializers.IntegerField()
    offer = serializers.IntegerField()
    sku = serializers.CharField()
    url = serializers.CharField()


class OrderBody(serializers.Serializer):
    """What is bought from one shop."""

    shop = serializers.IntegerField()
    shop_name = serializers.CharField()
    currency = serializers.CharField()
    items = ItemBody(many=True)


class NeedBody(serializers.Serializer):
    """So many of a part."""

    part = serializers.IntegerField()
    part_name = serializers.CharField()
    mpn = serializers.CharField()
    needed = serializers.IntegerField()


class ShoppingListBody(serializers.Serializer):
    """What is bought where."""

    currency = serializers.CharField(help_text="of all costs")
    orders = OrderBody(many=True)
    goods = Money()
    shipping = Money(help_text="0 unless it was to count")
    total = Money()
    missing = NeedBody(many=True, help_text="what nobody sells, or at no price that can be compared")
    unpriced = serializers.ListField(child=serializers.CharField(), help_text="currencies that no rate is known of")
    exact = serializers.BooleanField(help_text="false where there are too many shops to try all sets of them")


class Shopping(Resource):
    """Shopping lists."""

    @described("getShoppingList", ShoppingListBody, query=ShoppingQuery)
    def get(self, request: Request) -> Response:
        """Tell what to buy where for what is missing, at the cheapest combination; a part comes from one shop."""
        query = asked(ShoppingQuery, request)
        found = shopping_list(_needs(query), shipping=query["shipping"], few=query["few"])
        parts = Part.objects.only("name", "mpn").in_bulk(found.needs)
        combination = found.combination
        return Response(
            {
                "currency": found.currency,
                "orders": [_order(shop, found, parts) for shop in combination.shops],
                "goods": money(combination.total - combination.shipping),
                "shipping": money(combination.shipping),
                "total": money(combination.total),
                "missing": [_need(part, found, parts) for part in combination.missing],
                "unpriced": found.unpriced,
                "exact": combination.exact,
            }
        )


def _needs(query: Mapping[str, Any]) -> dict[int, int]:
    if "project" not in query:
        if "boards" in query:
            raise bad_parameters({"boards": "of which project?"})
        return low_needs()
    project = Project.objects.filter(pk=query["project"]).first()
    if project is None:
        raise bad_parameters({"project": f"there is no project {query['project']}"})
    return lacking(report(project, query.get("boards")))


def _order(pk: int, found: ShoppingList, parts: Mapping[int, Part]) -> dict[str, Any]:
    bought = [(part, each) for part, each in found.combination.purchases.items() if each.shop == pk]
    offers = [found.offers[each.offer] for _, each in bought]
    shop = offers[0].shop
    items = [
        _need(part, found, parts) | purchase_body(each) | {"offer": offer.pk, "sku": offer.sku, "url": offer.url}
        for (part, each), offer in zip(bought, offers, strict=True)
    ]
    return {"shop": pk, "shop_name": shop.name, "currency": shop.currency, "items": items}


def _need(part: int, found: ShoppingList, parts: Mapping[int, Part]) -> dict[str, Any]:
    it = parts[part]
    return {"part": part, "part_name": it.name, "mpn": it.mpn, "needed": found.needs[part]}
