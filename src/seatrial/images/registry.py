"""Pushing to a registry over the OCI distribution protocol (specification 1.1), as ECR speaks it.

Only what the registry lacks is sent, and a manifest that is there already ends the push after one request. ECR takes
Basic authentication with the user and password that GetAuthorizationToken answers.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin

import urllib3

from seatrial.errors import ReleaseFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seatrial.images.layout import Blob, Layout

_TIMEOUT = urllib3.Timeout(connect=10, read=120)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


@dataclass(frozen=True)
class Credentials:
    """User and password of a registry."""

    username: str
    password: str


def push(
    layout: Layout, repository_uri: str, tag: str, credentials: Credentials, progress: Callable[[str], None]
) -> str:
    """Push an image to ``host/repository`` under ``tag`` and return its digest.

    Where the tag is taken by another image and must not be overwritten, the image is pushed without a tag: a release
    is a digest. Raises :class:`ReleaseFailed` where the registry refuses or cannot be reached.
    """
    with _Repository(repository_uri, credentials) as repository:
        digest = layout.manifest.digest
        if repository.digest(tag) == digest:
            return digest
        for blob in (*layout.layers, layout.config):
            if not repository.has(blob.digest):
                progress(f"pushing {blob.digest[7:19]}, {len(blob.content) / 1e6:.1f} MB")
                repository.upload(blob)
        repository.put(layout.manifest, tag)
        return digest


def digest_of(repository_uri: str, tag: str, credentials: Credentials) -> str | None:
    """Return the digest that ``tag`` stands for in ``host/repository``, or None. Raises as :func:`push`."""
    with _Repository(repository_uri, credentials) as repository:
        return repository.digest(tag)


def is_local(repository_uri: str) -> bool:
    """Whether a registry is on this machine; such are spoken to without TLS, as Docker does."""
    host = repository_uri.partition("/")[0].partition(":")[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Repository:
    def __init__(self, uri: str, credentials: Credentials) -> None:
        host, _, self._name = uri.partition("/")
        self._host = host
        self._base = f"{'http' if is_local(uri) else 'https'}://{host}/v2/{self._name}/"
        token = base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()
        self._pool = urllib3.PoolManager(
            headers={"Authorization": f"Basic {token}"}, timeout=_TIMEOUT, retries=urllib3.Retry(2, redirect=3)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.clear()

    def digest(self, reference: str) -> str | None:
        answer = self._ask(
            "HEAD", f"manifests/{reference}", headers={"Accept": ", ".join(_MANIFESTS)}, allowed=(200, 404)
        )
        return answer.headers.get("Docker-Content-Digest") if answer.status == 200 else None

    def has(self, digest: str) -> bool:
        return self._ask("HEAD", f"blobs/{digest}", allowed=(200, 404)).status == 200

    def upload(self, blob: Blob) -> None:
        begun = self._ask("POST", "blobs/uploads/", allowed=(202,))
        headers = {"Content-Type": "application/octet-stream"}
        sent = self._ask("PATCH", begun.headers["Location"], body=blob.content, headers=headers, allowed=(202, 204))
        location = sent.headers["Location"]
        joint = "&" if "?" in location else "?"
        self._ask("PUT", f"{location}{joint}digest={blob.digest}", allowed=(201,))

    def put(self, manifest: Blob, tag: str) -> None:
        headers = {"Content-Type": manifest.media_type}
        answer = self._ask("PUT", f"manifests/{tag}", body=manifest.content, headers=headers, allowed=(201, 400))
        if answer.status == 201:
            return
        if "TAG_INVALID" not in _codes(answer):
            raise self._refused("PUT", answer)
        self._ask("PUT", f"manifests/{manifest.digest}", body=manifest.content, headers=headers, allowed=(201,))

    def _ask(
        self,
        method: str,
        path: str,
        *,
        allowed: tuple[int, ...],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        given = dict(self._pool.headers) | dict(headers or {})
        with self._explained():
            answer = self._pool.request(method, urljoin(self._base, path), body=body, headers=given)
        if answer.status not in allowed:
            raise self._refused(method, answer)
        return answer

    def _refused(self, method: str, answer: urllib3.BaseHTTPResponse) -> ReleaseFailed:
        reasons = tuple(_messages(answer)) or (f"HTTP status {answer.status}",)
        hint = "the repository must exist: has the infrastructure been created?" if answer.status == 404 else None
        what = f"the registry {self._host} refused a push to {self._name} ({method}): {reasons[0]}"
        return ReleaseFailed(what, hint=hint)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", None) or error
            raise ReleaseFailed(f"the registry {self._host} cannot be reached: {reason}") from error


def _errors(answer: urllib3.BaseHTTPResponse) -> list[dict[str, str]]:
    try:
        found = json.loads(answer.data)["errors"]
    except (ValueError, KeyError, TypeError):
        return []
    return [error for error in found if isinstance(error, dict)] if isinstance(found, list) else []


def _codes(answer: urllib3.BaseHTTPResponse) -> list[str]:
    return [str(error.get("code")) for error in _errors(answer)]


def _messages(answer: urllib3.BaseHTTPResponse) -> list[str]:
    return [f"{error.get('code')}: {error.get('message')}" for error in _errors(answer)]
