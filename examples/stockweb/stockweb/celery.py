"""The Celery application: ``celery -A stockweb worker`` and ``celery -A stockweb beat``."""

import os

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

import stockweb.tracing  # noqa: F401 - connects to Celery's signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stockweb.settings")

app = Celery("stockweb")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_django_does(**_: object) -> None:
    """Give workers and beat the log format of the web processes instead of Celery's own."""
    from logging.config import dictConfig  # noqa: PLC0415 - only these two processes need it

    dictConfig(settings.LOGGING)
