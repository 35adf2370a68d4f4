"""Boxes are kept in Django's admin; lots and movements can be read there, and changed by nobody but the ledger."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from stock.models import Box, Lot, Movement


@admin.register(Box)
class BoxAdmin(admin.ModelAdmin):
    """Boxes."""

    list_display = ("code", "name", "kind", "parent")
    list_select_related = ("parent",)
    search_fields = ("code", "name")
    autocomplete_fields = ("parent",)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Shows and changes nothing."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """No."""
        return False

    def has_change_permission(self, _request: HttpRequest, _row: Any = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _row: Any = None) -> bool:
        """No."""
        return False


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    """What is in the boxes."""

    list_display = ("part", "box", "qty", "approx", "counted_at")
    list_select_related = ("part", "box")
    search_fields = ("part__name", "part__mpn", "box__code")


@admin.register(Movement)
class MovementAdmin(ReadOnlyAdmin):
    """The ledger."""

    list_display = ("at", "lot", "delta", "balance", "reason", "unit_cost", "currency", "user")
    list_select_related = ("lot__box", "user")
    list_filter = ("reason", "approx")
    show_full_result_count = False
