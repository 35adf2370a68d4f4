"""The same call on many objects, several at a time: a site has hundreds of files, and each call is a round trip."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: As many connections as botocore keeps open (``max_pool_connections``).
_AT_ONCE = 10

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def each(items: Iterable[Item], do: Callable[[Item], Answer]) -> list[Answer]:
    """Return what ``do`` returns for each item, in their order, or raise what the first one raised.

    Nothing goes on in the background afterwards.
    """
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return list(pool.map(do, items))
    finally:
        pool.shutdown(cancel_futures=True)
