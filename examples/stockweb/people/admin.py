"""Tokens in Django's admin: to be seen and revoked, not to be made or changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from people.models import Token


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):
    """Everybody's tokens."""

    list_display = ("user", "name", "prefix", "scope", "created", "expires", "last_used")
    list_select_related = ("user",)
    search_fields = ("user__username", "name", "prefix")
    exclude = ("digest",)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """No."""
        return False

    def has_change_permission(self, _request: HttpRequest, _row: Any = None) -> bool:
        """No."""
        return False
