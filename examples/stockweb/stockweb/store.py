"""The seam between the two stores: PostgreSQL, for which this is made, and MongoDB (``STOCKWEB_STORE=mongo``).

Most of the application speaks to either by Django's models. Where PostgreSQL is asked in its own words, a function says
with :func:`on_mongodb` which module has the same function for MongoDB, or with :func:`on_postgresql_alone` that none
has. ``tests/store`` is the contract: one suite of tests that both stores pass.
"""

import random
import time
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import connection

P = ParamSpec("P")
T = TypeVar("T")

#: Each function that has a form of its own for MongoDB, by its name, and the module which has that.
SEAM: dict[str, str] = {}
#: Seconds for which a change that others cross is tried again, and the longest that it waits in between.
_PATIENCE = 15.0
_LONGEST_PAUSE = 0.1


class NotOnThisStore(Exception):
    """What was asked for can be had on PostgreSQL only; nothing was changed."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} needs PostgreSQL; this installation keeps its data in MongoDB")


def on_mongodb(module: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let the function of the same name in another module answer where the store is MongoDB."""

    def choose(function: Callable[P, T]) -> Callable[P, T]:
        SEAM[f"{function.__module__}.{function.__qualname__}"] = module
        if settings.STORE != "mongo":
            return function

        @wraps(function)
        def elsewhere(*args: P.args, **kwargs: P.kwargs) -> T:
            return getattr(import_module(module), function.__name__)(*args, **kwargs)

        return elsewhere

    return choose


def on_postgresql_alone(what: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function refuse where the store is MongoDB. Raises :class:`NotOnThisStore` there."""

    def choose(function: Callable[P, T]) -> Callable[P, T]:
        if settings.STORE != "mongo":
            return function

        @wraps(function)
        def refuse(*_args: Any, **_kwargs: Any) -> T:
            raise NotOnThisStore(what)

        return refuse

    return choose


def retried(change: Callable[P, T]) -> Callable[P, T]:
    """Let a transaction be done again where another crossed it: on MongoDB that is refused, PostgreSQL lets it wait."""
    if settings.STORE != "mongo":
        return change
    from documents.errors import Conflict  # noqa: PLC0415 - its driver is there with that store only

    @wraps(change)
    def again(*args: P.args, **kwargs: P.kwargs) -> T:
        until, pause = time.monotonic() + _PATIENCE, 0.001
        while True:
            try:
                return change(*args, **kwargs)
            except Conflict:
                if connection.in_atomic_block or time.monotonic() > until:
                    raise  # within a transaction, all of that has to be done again
            time.sleep(random.uniform(0, pause))  # noqa: S311 - so that they do not meet again
            pause = min(2 * pause, _LONGEST_PAUSE)

    return again
