"""Background work, run by a Celery worker. Every task may run twice and must not mind."""

import logging
from collections.abc import Sequence

from celery import shared_task

logger = logging.getLogger(__name__)


@shared_task
def draw(pk: str) -> None:
    """Draw a photo anew, and its thumbnail."""
    from attachments import desk  # noqa: PLC0415 - it needs the tasks of this module

    desk.draw(pk)
    logger.info("attachment drawn", extra={"attachment": pk})


@shared_task
def remove(keys: Sequence[str]) -> None:
    """Delete what the bucket has of an attachment that is gone."""
    from attachments import bucket  # noqa: PLC0415

    bucket.remove(keys)


@shared_task
def redraw_photos() -> int:
    """Queue photos again that were lost with the broker's memory, and return how many."""
    from attachments import desk  # noqa: PLC0415

    return desk.redraw()


@shared_task
def sweep_attachments() -> int:
    """Delete what nobody knows of, and return how many objects that were."""
    from attachments import desk  # noqa: PLC0415

    count = desk.sweep() if desk.available() else 0
    logger.info("attachments swept: %d orphans", count)
    return count
