"""The app's configuration."""

from django.apps import AppConfig


class ShopsConfig(AppConfig):
    """Shops and prices."""

    name = "shops"
