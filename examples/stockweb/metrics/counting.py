"""What is counted: requests and how long they take, errors of the database, tasks that wait.

gunicorn's processes count into files that they share (``PROMETHEUS_MULTIPROC_DIR``, set by gunicorn.conf.py), so
whichever of them is asked tells the sum. Requests are told by the template of their address, not by the address: there
are some dozens of those, whatever is asked for.
"""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError

REQUESTS = Counter("stockweb_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "stockweb_request_seconds",
    "Time to answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DATABASE_ERRORS = Counter("stockweb_database_errors", "Statements that the database refused or lost", ["kind"])

_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


class Counting:
    """Middleware: counts requests, and errors of the database meanwhile."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        began = time.perf_counter()
        with connection.execute_wrapper(_counted):
            response = self._get_response(request)
        method = request.method if request.method in _METHODS else "other"
        route = request.resolver_match.route if request.resolver_match else "none"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(method, route).observe(time.perf_counter() - began)
        return response


class Queue(Collector):
    """How many tasks wait to be begun."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Ask the broker; where it does not answer, say nothing rather than 0."""
        depth = GaugeMetricFamily("stockweb_queue_depth", "Tasks that wait", labels=["queue"])
        name = settings.CELERY_TASK_DEFAULT_QUEUE
        try:
            with Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=2, socket_connect_timeout=2) as broker:
                depth.add_metric([name], broker.llen(name))
        except (RedisError, OSError):
            return
        yield depth


def exposition() -> bytes:
    """Return all of it in Prometheus's text format."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    queue = CollectorRegistry()
    queue.register(Queue())
    return generate_latest(registry) + generate_latest(queue)


def _counted(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    try:
        return execute(sql, params, many, context)
    except Error as error:
        DATABASE_ERRORS.labels(type(error).__name__).inc()
        raise
