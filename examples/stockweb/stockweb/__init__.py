"""The project: settings, URLs, WSGI and Celery entry points, and what every page shares."""

from stockweb.celery import app as celery_app

__all__ = ["celery_app"]
