"""What was chosen before is kept in Django's admin; projects are kept by the API."""

from django.contrib import admin

from projects.models import Remembered


@admin.register(Remembered)
class RememberedAdmin(admin.ModelAdmin):
    """Choices."""

    list_display = ("value", "footprint", "part")
    list_select_related = ("part",)
    search_fields = ("value", "part__name", "part__mpn")
    autocomplete_fields = ("part",)
