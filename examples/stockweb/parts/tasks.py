"""Background work, run by a Celery worker. Every task may run twice and must not mind."""

import logging

from celery import shared_task

from parts.models import AttributeValue
from parts.reading import catch_up

logger = logging.getLogger(__name__)


@shared_task
def read_attributes() -> int:
    """Read the values that a version of this application wrote that does not read them, and return how many."""
    count = catch_up(AttributeValue.objects.all())
    logger.info("attributes: %d values read", count)
    return count
