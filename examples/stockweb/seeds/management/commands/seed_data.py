"""``manage.py seed_data``: parts, stock, shops and projects to begin with."""

from typing import Any

from django.core.management import BaseCommand

from seeds.plant import plant_offers, plant_parts, plant_projects


class Command(BaseCommand):
    """See ``help``."""

    help = (
        "Writes some two hundred parts with attributes, boxes and stock, shops with what they sell, and two projects. "
        "Running it again changes nothing."
    )

    def handle(self, **_options: Any) -> None:
        """Do it and say what was new."""
        parts, movements = plant_parts()
        news = {"parts": parts, "movements": movements, "offers": plant_offers(), "projects": plant_projects()}
        self.stdout.write(", ".join(f"{count} new {what}" for what, count in news.items()))
