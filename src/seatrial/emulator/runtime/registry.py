"""The registry behind ECR: the OCI distribution protocol on a loopback port of its own.

Kept rules: OCI Distribution Specification 1.1 (pull, push, content discovery by tag list) and what ECR adds to it:
Basic authentication with the user ``AWS``, NAME_UNKNOWN for a repository nobody created, TAG_INVALID for a tag that
must not be overwritten. Whether a repository exists and what a push may do is asked of a :class:`Policy`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
import socket
import sys
import threading
import uuid
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, urlsplit

from seatrial.emulator.runtime.store import DIGEST, TAG, ImageStore, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ROUTE = re.compile(
    r"/v2/(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)/(?P<kind>manifests|blobs/uploads|blobs|tags)/(?P<rest>[^/]*)"
)
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 4 << 20
_IDLE_SECONDS = 60


#: What each kind of request is called in ECR's permissions ("Pushing an image", Amazon ECR user guide).
_ACTIONS = {
    ("GET", "manifests"): "ecr:BatchGetImage",
    ("HEAD", "manifests"): "ecr:BatchGetImage",
    ("PUT", "manifests"): "ecr:PutImage",
    ("GET", "blobs"): "ecr:GetDownloadUrlForLayer",
    ("HEAD", "blobs"): "ecr:BatchCheckLayerAvailability",
    ("POST", "blobs/uploads"): "ecr:InitiateLayerUpload",
    ("PATCH", "blobs/uploads"): "ecr:UploadLayerPart",
    ("PUT", "blobs/uploads"): "ecr:CompleteLayerUpload",
    ("GET", "tags"): "ecr:ListImages",
}


class RegistryError(Exception):
    """An answer in the words of the distribution protocol: HTTP status, error code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Policy(Protocol):
    """What ECR knows and the registry must ask."""

    def check(self, repository: str) -> None:
        """Raise :class:`RegistryError` where the repository does not exist."""
        ...

    def admit(self, repository: str, manifest: Manifest, tag: str | None) -> None:
        """Take note of a pushed manifest, or refuse it with :class:`RegistryError`."""
        ...

    def denies(self, key: str, action: str, repository: str) -> str | None:
        """Return why the owner of an access key may not do ``action`` (``ecr:PutImage``), None if it may."""
        ...


class OpenPolicy:
    """Every repository exists and every push is welcome."""

    def check(self, repository: str) -> None:
        """See :meth:`Policy.check`."""

    def admit(self, repository: str, manifest: Manifest, tag: str | None) -> None:
        """See :meth:`Policy.admit`."""

    def denies(self, key: str, action: str, repository: str) -> str | None:
        """See :meth:`Policy.denies`."""


class Registry:
    """The server. ``store`` is what has been pushed; ``password`` goes with the user name ``AWS``.

    After the password, and a dot, may stand the access key of whom it was given to.
    """

    def __init__(self, directory: Path, policy: Policy | None = None) -> None:
        self.store = ImageStore(directory)
        self.policy: Policy = policy or OpenPolicy()
        self.password = secrets.token_urlsafe(32)
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="registry", daemon=True)

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``, as image names begin."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close every connection."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def put_manifest(self, repository: str, content: bytes, media_type: str, tag: str | None) -> Manifest:
        """Store a manifest as a push does. Raises :class:`RegistryError` where it refers to what was never pushed."""
        self.policy.check(repository)
        missing = [digest for digest in _references(content) if self.store.blob(digest) is None]
        if missing:
            raise RegistryError(404, "MANIFEST_BLOB_UNKNOWN", f"blob unknown to registry: {missing[0]}")
        manifest = Manifest("sha256:" + hashlib.sha256(content).hexdigest(), media_type, content)
        self.policy.admit(repository, manifest, tag)
        return self.store.put_manifest(repository, content, media_type, tag)


def _references(content: bytes) -> Iterator[str]:
    """Digests a manifest or index refers to. Layers kept elsewhere (``urls``) need not be here."""
    try:
        document = json.loads(content)
        entries = [*document.get("layers", ()), *document.get("manifests", ())]
        if "config" in document:
            entries.append(document["config"])
        yield from (entry["digest"] for entry in entries if not entry.get("urls"))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise RegistryError(400, "MANIFEST_INVALID", f"manifest invalid: {error}") from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what went wrong, unless it is only that a client went away or was silent for long."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def close_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().close_request(request)

    def server_close(self) -> None:
        """Close the connections that clients keep alive, too, so that no thread waits for their next request."""
        super().server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # the client closed it first
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the signature of the standard library
        """Say nothing: clients report their own errors."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self._body = _Body(self.rfile, self.headers)
        try:
            self._key = self._authenticate()
            self._route()
        except RegistryError as error:
            self._fail(error)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _route(self) -> None:
        url = urlsplit(self.path)
        self._query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path in ("/v2/", "/v2"):
            return self._send(200, b"{}", {"Content-Type": "application/json"})
        match = _ROUTE.fullmatch(url.path)
        if match is None:
            raise RegistryError(404, "NAME_INVALID", f"no such resource: {url.path}")
        self._repository, self._rest = match["name"], match["rest"]
        self.server.registry.policy.check(self._repository)
        self._permit(match["kind"])
        actions = {
            ("GET", "manifests"): self._get_manifest,
            ("HEAD", "manifests"): self._get_manifest,
            ("PUT", "manifests"): self._put_manifest,
            ("GET", "blobs"): self._get_blob,
            ("HEAD", "blobs"): self._get_blob,
            ("POST", "blobs/uploads"): self._begin_upload,
            ("GET", "blobs/uploads"): self._tell_upload,
            ("PATCH", "blobs/uploads"): self._append_upload,
            ("PUT", "blobs/uploads"): self._finish_upload,
            ("DELETE", "blobs/uploads"): self._cancel_upload,
            ("GET", "tags"): self._list_tags,
        }
        action = actions.get((self.command, match["kind"]))
        if action is None:
            raise RegistryError(405, "UNSUPPORTED", "The operation is unsupported.")
        return action()

    @property
    def _store(self) -> ImageStore:
        return self.server.registry.store

    def _permit(self, kind: str) -> None:
        """Raise where the caller's policies do not allow what it asks. ECR has an action for each kind of request."""
        action = _ACTIONS.get((self.command, kind))
        denied = action and self.server.registry.policy.denies(self._key, action, self._repository)
        if denied:
            raise RegistryError(403, "DENIED", denied)

    def _authenticate(self) -> str:
        """Return the access key that the password was given to, empty for none."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        secret, _, key = password.partition(".")
        right = secrets.compare_digest(secret.encode(), self.server.registry.password.encode())
        if scheme.lower() != "basic" or user != "AWS" or not right:
            raise RegistryError(401, "UNAUTHORIZED", "Not Authorized")
        return key

    # Manifests and tags

    def _get_manifest(self) -> None:
        manifest = self._store.manifest(self._repository, self._rest)
        if manifest is None:
            raise RegistryError(404, "MANIFEST_UNKNOWN", f"Requested image not found: {self._rest}")
        self._send(
            200, manifest.content, {"Content-Type": manifest.media_type, "Docker-Content-Digest": manifest.digest}
        )

    def _put_manifest(self) -> None:
        by_digest = DIGEST.fullmatch(self._rest) is not None
        if not by_digest and not TAG.fullmatch(self._rest):
            raise RegistryError(400, "TAG_INVALID", f"not a tag: {self._rest}")
        content = self._body.read_all(_LARGEST_MANIFEST)
        if by_digest and self._rest != "sha256:" + hashlib.sha256(content).hexdigest():
            raise RegistryError(400, "DIGEST_INVALID", "the manifest does not match its digest")
        media_type = self.headers.get("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        tag = None if by_digest else self._rest
        manifest = self.server.registry.put_manifest(self._repository, content, media_type, tag)
        location = f"/v2/{self._repository}/manifests/{manifest.digest}"
        self._send(201, b"", {"Location": location, "Docker-Content-Digest": manifest.digest})

    def _list_tags(self) -> None:
        if self._rest != "list":
            raise RegistryError(404, "NAME_INVALID", f"no such resource: {self.path}")
        tags = [tag for tag in self._store.tags(self._repository) if tag > self._query.get("last", "")]
        size = int(self._query["n"]) if self._query.get("n", "").isdigit() else len(tags)
        headers = {"Content-Type": "application/json"}
        if 0 < size < len(tags):
            tags = tags[:size]
            headers["Link"] = f'</v2/{self._repository}/tags/list?n={size}&last={tags[-1]}>; rel="next"'
        self._send(200, json.dumps({"name": self._repository, "tags": tags[:size]}).encode(), headers)

    # Blobs

    def _get_blob(self) -> None:
        path = self._store.blob(self._rest)
        if path is None:
            raise RegistryError(404, "BLOB_UNKNOWN", f"blob unknown to registry: {self._rest}")
        with path.open("rb") as file:
            self._send(
                200,
                file,
                {"Content-Type": "application/octet-stream", "Docker-Content-Digest": self._rest},
                length=path.stat().st_size,
            )

    def _begin_upload(self) -> None:
        mount = self._query.get("mount", "")
        if self._store.blob(mount) is not None:
            return self._created(mount)
        self._rest = str(uuid.uuid4())
        upload = self._store.uploads / self._rest
        upload.touch()
        if "digest" in self._query:
            return self._finish_upload()
        return self._accepted(upload)

    def _tell_upload(self) -> None:
        self._accepted(self._upload(), HTTPStatus.NO_CONTENT)

    def _append_upload(self) -> None:
        upload = self._upload()
        begins = re.match(r"(?:bytes )?(\d+)-", self.headers.get("Content-Range", ""))
        if begins and int(begins[1]) != upload.stat().st_size:
            raise RegistryError(416, "BLOB_UPLOAD_INVALID", f"the next byte is {upload.stat().st_size}")
        self._append(upload)
        self._accepted(upload)

    def _finish_upload(self) -> None:
        upload, digest = self._upload(), self._query.get("digest", "")
        self._append(upload)
        with upload.open("rb") as file:
            actual = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        if actual != digest:
            upload.unlink()
            raise RegistryError(400, "DIGEST_INVALID", f"the content is {actual}, not {digest}")
        self._store.adopt_blob(upload, digest)
        self._created(digest)

    def _cancel_upload(self) -> None:
        self._upload().unlink()
        self._send(204)

    def _upload(self) -> Path:
        upload = self._store.uploads / self._rest
        if not re.fullmatch(r"[0-9a-f-]{36}", self._rest) or not upload.is_file():
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", f"blob upload unknown to registry: {self._rest}")
        return upload

    def _append(self, upload: Path) -> None:
        with upload.open("ab") as file:
            for chunk in self._body:
                file.write(chunk)

    def _accepted(self, upload: Path, status: int = HTTPStatus.ACCEPTED) -> None:
        location = f"/v2/{self._repository}/blobs/uploads/{upload.name}"
        last = max(upload.stat().st_size - 1, 0)
        self._send(status, headers={"Location": location, "Docker-Upload-UUID": upload.name, "Range": f"0-{last}"})

    def _created(self, digest: str) -> None:
        location = f"/v2/{self._repository}/blobs/{digest}"
        self._send(201, headers={"Location": location, "Docker-Content-Digest": digest})

    # The wire

    def _fail(self, error: RegistryError) -> None:
        body = json.dumps({"errors": [{"code": error.code, "message": str(error)}]}).encode()
        headers = {"Content-Type": "application/json"}
        if error.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = (
                f'Basic realm="http://{self.server.registry.host}/",service="ecr.amazonaws.com"'
            )
        self._send(error.status, body, headers)

    def _send(
        self,
        status: int,
        body: bytes | IO[bytes] = b"",
        headers: dict[str, str] | None = None,
        length: int | None = None,
    ) -> None:
        for _ in self._body:  # what the client still sends must not be taken for its next request
            pass
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body) if isinstance(body, bytes) else length))
        self.end_headers()
        if self.command == "HEAD":
            return
        if isinstance(body, bytes):
            self.wfile.write(body)
        else:
            while chunk := body.read(_CHUNK):
                self.wfile.write(chunk)


class _Body:
    """The request's body in pieces, whether its length is announced or it comes in chunks."""

    def __init__(self, stream: Any, headers: Any) -> None:
        self._stream = stream
        self._chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        self._left = int(headers.get("Content-Length") or 0)

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks() if self._chunked else self._pieces()

    def read_all(self, limit: int) -> bytes:
        content = b""
        for piece in self:
            content += piece
            if len(content) > limit:
                raise RegistryError(413, "SIZE_INVALID", f"more than {limit} bytes")
        return content

    def _pieces(self) -> Iterator[bytes]:
        while self._left:
            piece = self._stream.read(min(_CHUNK, self._left))
            if not piece:
                raise ConnectionError("the client went away")
            self._left -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while self._chunked:
            size = int(self._stream.readline(64).split(b";")[0] or b"0", 16)
            if size == 0:
                self._chunked = False
                while self._stream.readline(1024).strip():  # trailers
                    continue
                return
            yield self._stream.read(size)
            self._stream.readline(8)
