"""Background work, run by a Celery worker. Every task may run twice and must not mind."""

import logging

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

#: Seconds before a task is stopped for good (``CELERY_TASK_TIME_LIMIT``), with some to say so.
SOON = 22

logger = logging.getLogger(__name__)


@shared_task
def check(pk: str, run: int) -> None:
    """Go on with a dry run, for a few seconds; what is left is queued again."""
    from exchange import checking  # noqa: PLC0415 - a web process that queues it needs none of it

    if checking.check(pk, run):
        logger.info("import checked", extra={"import": pk})
    else:
        check.delay(pk, run)


@shared_task(soft_time_limit=SOON)
def commit(pk: str, run: int) -> None:
    """Write what a dry run found. It is one transaction, so what takes too long is not written at all."""
    from exchange import committing  # noqa: PLC0415

    try:
        committing.commit(pk, run)
    except SoftTimeLimitExceeded:
        committing.give_up(pk, run, f"{SOON} seconds were not enough. Split the file in two")
    logger.info("import committed", extra={"import": pk})


@shared_task
def resume_imports() -> int:
    """Queue imports again that were lost with the broker's memory, and return how many."""
    from exchange import desk  # noqa: PLC0415 - it needs the tasks of this module

    return desk.resume()


@shared_task
def forget_imports() -> int:
    """Delete old files, and return how many."""
    from exchange import desk  # noqa: PLC0415

    return desk.forget()
