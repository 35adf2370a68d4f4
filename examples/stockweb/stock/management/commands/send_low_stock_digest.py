"""``manage.py send_low_stock_digest``: what the scheduled job runs."""

from typing import Any

from django.core.management import BaseCommand

from stock.low_stock import send_digest


class Command(BaseCommand):
    """See ``help``."""

    help = "Mails the parts that have fallen below their minimum stock since the last time they were enough."

    def handle(self, **_options: Any) -> None:
        """Do it and say how many there were."""
        dipped = send_digest()
        for part in dipped:
            self.stdout.write(f"{part.name}: {part.total} of at least {part.min_qty}")
        self.stdout.write(f"{len(dipped)} newly low")
