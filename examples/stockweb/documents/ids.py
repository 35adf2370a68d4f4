"""Numbers for rows, counted up for each collection."""

from typing import Any

from pymongo import ReturnDocument

from documents.errors import django_errors

COLLECTION = "ids"


def draw(connection: Any, table: str, count: int = 1, *, in_transaction: bool = False) -> range:
    """Return the next ids of a table.

    Drawn ``in_transaction`` they ascend in the order in which transactions commit, because of two that draw at once one
    is refused; else nobody is in anybody's way, and a transaction that is taken back leaves a gap.
    """
    with django_errors():
        counter = connection.database[COLLECTION].find_one_and_update(
            {"_id": table},
            {"$inc": {"last": count}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=connection.session if in_transaction else None,
        )
    return range(counter["last"] - count + 1, counter["last"] + 1)
