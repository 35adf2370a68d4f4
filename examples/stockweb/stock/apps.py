"""The app's configuration."""

from django.apps import AppConfig


class StockConfig(AppConfig):
    """Stock."""

    name = "stock"
