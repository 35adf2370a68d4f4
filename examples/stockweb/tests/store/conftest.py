"""What both stores are tried with."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands import flush
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection

from tests.factories import Shelf, shelf

T = TypeVar("T")

collect_ignore = [] if settings.STORE == "mongo" else ["test_mongodb.py"]


@pytest.fixture(autouse=True, scope="module")
def _permissions_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Make Django's permissions again after the last test of a module, and not after each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: ContentType.objects.clear_cache())
        yield
    with django_db_blocker.unblock():
        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")


@pytest.fixture
def world(transactional_db: None) -> Shelf:
    """Two boxes and a part of which there are ten in the first."""
    return shelf()


def at_once(work: Callable[[int], T], threads: int) -> list[T]:
    """Do some work in threads, each on a connection of its own, from the same moment on."""
    start = Barrier(threads)

    def run(number: int) -> T:
        try:
            connection.ensure_connection()
            start.wait(30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
