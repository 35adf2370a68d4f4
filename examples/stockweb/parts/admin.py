"""Definitions are kept in Django's admin: types with their attributes, and parts with their values."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.http import HttpRequest

from parts.models import AttributeDefinition, AttributeValue, Part, PartType, type_tree


class AttributeDefinitionInline(admin.TabularInline):
    """The attributes of a type."""

    model = AttributeDefinition
    extra = 1
    prepopulated_fields = {"key": ("label",)}

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        """Keep the choices as small as the rest of the line."""
        if db_field.name == "choices":
            kwargs["widget"] = forms.Textarea(attrs={"rows": 2, "cols": 16})
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(PartType)
class PartTypeAdmin(admin.ModelAdmin):
    """Part types."""

    list_display = ("name", "parent", "designators")
    list_select_related = ("parent",)
    search_fields = ("name",)
    autocomplete_fields = ("parent",)
    inlines = (AttributeDefinitionInline,)


class AttributeValues(forms.BaseInlineFormSet):
    """The values of a part, of which some may be required."""

    def clean(self) -> None:
        """Refuse a part without an attribute that its type requires."""
        super().clean()
        if self.instance.type_id is None or any(self.errors):
            return
        lineage = [each.pk for each in type_tree().path(self.instance.type_id)]
        rows = [form.cleaned_data for form in self.forms if not self._should_delete_form(form)]
        given = {row["definition"].pk for row in rows if row}
        required = AttributeDefinition.objects.filter(part_type__in=lineage, required=True).exclude(pk__in=given)
        if required:
            raise ValidationError(f"{self.instance.type} needs: {', '.join(each.label for each in required)}")


class AttributeValueInline(admin.TabularInline):
    """The attributes of a part."""

    model = AttributeValue
    formset = AttributeValues
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
