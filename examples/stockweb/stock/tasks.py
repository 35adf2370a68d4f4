"""Background work, run by a Celery worker. Every task may run twice and must not mind."""

import logging

from celery import shared_task

from stock import audit, low_stock

logger = logging.getLogger(__name__)


@shared_task
def audit_ledger() -> int:
    """Log an error for every lot that does not add up, and return how many there are."""
    found = audit.discrepancies()
    for each in found:
        logger.error("ledger: lot does not add up", extra=vars(each))
    logger.info("ledger audited: %d discrepancies", len(found))
    return len(found)


@shared_task
def send_low_stock_digest() -> int:
    """Tell which parts have become low, and return how many."""
    dipped = low_stock.send_digest()
    logger.info("low stock: %d new", len(dipped))
    return len(dipped)
