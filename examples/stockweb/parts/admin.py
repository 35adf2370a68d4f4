"""Definitions are kept in Django's admin: types with their attributes, and parts with their values."""

from django.contrib import admin

from parts.models import AttributeDefinition, AttributeValue, Part, PartType


class AttributeDefinitionInline(admin.TabularInline):
    """The attributes of a type."""

    model = AttributeDefinition
    extra = 1
    prepopulated_fields = {"key": ("label",)}


@admin.register(PartType)
class PartTypeAdmin(admin.ModelAdmin):
    """Part types."""

    list_display = ("name", "parent")
    list_select_related = ("parent",)
    search_fields = ("name",)
    autocomplete_fields = ("parent",)
    inlines = (AttributeDefinitionInline,)


class AttributeValueInline(admin.TabularInline):
    """The attributes of a part."""

    model = AttributeValue
    extra = 1


@admin.register(Part)
class PartAdmin(admin.ModelAdmin):
    """Parts."""

    list_display = ("name", "mpn", "manufacturer", "type", "min_qty")
    list_filter = ("type",)
    list_select_related = ("type",)
    search_fields = ("name", "mpn", "manufacturer", "description", "tags")
    autocomplete_fields = ("type",)
    inlines = (AttributeValueInline,)
