"""Money: exact, so it travels as text, ``"0.0215"``, and never as a floating-point number."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers


class Money(serializers.DecimalField):
    """An amount, with six digits behind the mark at most."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"max_digits": 12, "decimal_places": 6, **more})


class Currency(serializers.RegexField):
    """Three capitals."""

    def __init__(self, **more: Any) -> None:
        super().__init__("^[A-Z]{3}$", help_text="three capitals: EUR (ISO 4217)", **more)


def money(amount: Decimal) -> str:
    """Return an amount as text, without an exponent and without zeros at its end."""
    return f"{amount.normalize():f}"
