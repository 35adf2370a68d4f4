"""Shops, offers with their prices, and rates are kept in Django's admin as well as through the API."""

from django.contrib import admin

from shops.models import Offer, PriceBreak, Rate, Shop


@admin.register(Shop)
class ShopAdmin(admin.ModelAdmin):
    """Shops."""

    list_display = ("name", "currency", "shipping", "url")
    search_fields = ("name",)


class PriceBreakInline(admin.TabularInline):
    """The prices of an offer."""

    model = PriceBreak
    extra = 1


@admin.register(Offer)
class OfferAdmin(admin.ModelAdmin):
    """Offers."""

    list_display = ("sku", "shop", "part", "moq", "multiple")
    list_select_related = ("shop", "part")
    list_filter = ("shop",)
    search_fields = ("sku", "part__name", "part__mpn")
    autocomplete_fields = ("part", "shop")
    inlines = (PriceBreakInline,)


@admin.register(Rate)
class RateAdmin(admin.ModelAdmin):
    """Rates."""

    list_display = ("currency", "day", "worth")
    list_filter = ("currency",)
