"""``manage.py seed_data``: parts, boxes and stock to begin with."""

from typing import Any

from django.core.management import BaseCommand

from stock.seeds.plant import plant


class Command(BaseCommand):
    """See ``help``."""

    help = "Writes some two hundred parts with attributes, boxes and stock. Running it again changes nothing."

    def handle(self, **_options: Any) -> None:
        """Do it and say what was new."""
        parts, movements = plant()
        self.stdout.write(f"{parts} new parts, {movements} new movements")
