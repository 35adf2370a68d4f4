"""One id for all that a request brings about: in its response, in each line of the log, in the tasks that it sends.

A load balancer or a client may give it (``X-Request-ID``); what is no plain id is not believed, because it ends up in
logs.
"""

import re
import uuid
from collections.abc import Callable
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

HEADER = "X-Request-ID"
_GOOD = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestId:
    """Outermost middleware but one: gives each request its id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        given = request.headers.get(HEADER, "")
        request_id = given if _GOOD.fullmatch(given) else uuid.uuid4().hex
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        response = self._get_response(request)
        response.headers[HEADER] = request_id
        return response  # not forgotten yet: Django writes its line on an error after all middleware


@before_task_publish.connect
def send_along(headers: dict[str, Any], **_: Any) -> None:
    """Give a task the id of the request that sends it."""
    if request_id := get_contextvars().get("request_id"):
        headers["request_id"] = request_id


@task_prerun.connect
def take_over(task_id: str, task: Any, **_: Any) -> None:
    """Write the log of a task with the id of the request that sent it."""
    clear_contextvars()
    bind_contextvars(task=task.name, task_id=task_id)
    if request_id := task.request.get("request_id"):
        bind_contextvars(request_id=request_id)


@task_postrun.connect
def leave(**_: Any) -> None:
    """Be done with the task."""
    clear_contextvars()
