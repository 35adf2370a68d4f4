"""The two probes."""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from health.checks import CHECKS, problems

logger = logging.getLogger(__name__)


@require_safe
@never_cache
def live(_request: HttpRequest) -> HttpResponse:
    """Answer 200 while this process can answer at all; touches nothing outside of it."""
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when requests can be served, else 503 with what is missing."""
    found = problems()
    if found:
        logger.warning("not ready: %s", "; ".join(f"{name}: {problem}" for name, problem in found.items()))
    body = {
        "status": "not ready" if found else "ready",
        "version": settings.VERSION,
        "checks": {name: found.get(name, "ok") for name in CHECKS},
    }
    return JsonResponse(body, status=503 if found else 200)
