"""The app's configuration."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Pages."""

    name = "pages"
