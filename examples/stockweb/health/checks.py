"""What this process needs in order to serve.

Each check returns None, or says what is wrong in words fit for the public. Addresses and user names go to the log
and not to whoever asks.
"""

import logging
from collections.abc import Callable

from django.core.cache import cache
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from stockweb.store import on_mongodb

logger = logging.getLogger(__name__)

Check = Callable[[], str | None]


def database() -> str | None:
    """Whether the database answers."""
    try:
        ask_database()
    except Error as error:
        logger.warning("database: %s", error)
        return f"no answer ({type(error).__name__})"
    return None


@on_mongodb("health.mongo")
def ask_database() -> None:
    """Raise an error of Django's when the database does not answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def shared_cache() -> str | None:
    """Whether Valkey or Redis answers. It also carries the queue of background work."""
    try:
        cache.get("health")
    except (RedisError, OSError) as error:
        logger.warning("cache: %s", error)
        return f"no answer ({type(error).__name__})"
    return None


class Migrations:
    """Whether every migration that this version brings has been applied.

    The plan costs some ten milliseconds. Once it is empty it stays so for the life of this process, because its
    migrations are files of its own image; so later probes cost nothing.
    """

    def __init__(self) -> None:
        self._applied = False

    def __call__(self) -> str | None:
        """Return the first unapplied migrations by name."""
        if self._applied:
            return None
        try:
            executor = MigrationExecutor(connection)
            plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except Error as error:
            logger.warning("migrations: %s", error)
            return f"unknown ({type(error).__name__})"
        if plan:
            names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:5])
            return f"{len(plan)} unapplied: {names}{', ...' if len(plan) > 5 else ''}"
        self._applied = True
        return None


CHECKS: dict[str, Check] = {"database": database, "cache": shared_cache, "migrations": Migrations()}


def problems() -> dict[str, str]:
    """Run every check and return what is wrong, by the name of the check."""
    found = {name: check() for name, check in CHECKS.items()}
    return {name: problem for name, problem in found.items() if problem is not None}
