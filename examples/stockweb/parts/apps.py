"""The app's configuration."""

from django.apps import AppConfig


class PartsConfig(AppConfig):
    """Parts."""

    name = "parts"
