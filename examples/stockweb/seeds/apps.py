"""The app's configuration."""

from django.apps import AppConfig


class SeedsConfig(AppConfig):
    """Data to begin with."""

    name = "seeds"
