"""Headers that every response carries, whoever made it."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from attachments.bucket import origin

VERSION_HEADER = "X-Stockweb-Version"


def content_policy(files: str) -> str:
    """Return where what a page loads may come from: this application, and for ``files`` the bucket's origin, if any."""
    return (
        f"default-src 'self'; img-src 'self' data: {files}; connect-src 'self' {files}; object-src 'none'; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ).replace(" ;", ";")


class ResponseHeaders:
    """Outermost middleware: the version, by which a release is told from the one before, and the content policy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._policy = content_policy(origin())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        response = self._get_response(request)
        response.headers[VERSION_HEADER] = settings.VERSION
        response.headers.setdefault("Content-Security-Policy", self._policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response
