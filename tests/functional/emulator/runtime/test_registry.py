"""The registry over HTTP, as clients nobody here wrote speak to it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.emulator.runtime.registry import Registry
from tests.functional.emulator.runtime.support import MANIFEST, digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOB = b"some layer" * 1000


class Client:
    """One keep-alive connection."""

    def __init__(self, registry: Registry) -> None:
        self._connection = http.client.HTTPConnection(registry.host, timeout=30)
        token = base64.b64encode(f"AWS:{registry.password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}"}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, bytes]:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        chunked = body is not None and not isinstance(body, bytes)
        self._connection.request(method, path, body=body, headers=self.headers | named, encode_chunked=chunked)
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def upload(self, blob: bytes) -> str:
        status, _, _ = self("POST", f"/v2/app/blobs/uploads/?digest={digest(blob)}", blob)
        assert status == 201
        return digest(blob)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "registry")
    registry.start()
    yield registry
    registry.stop()


@pytest.fixture
def ask(registry: Registry) -> Iterator[Client]:
    client = Client(registry)
    yield client
    client.close()


def manifest(*blobs: str) -> bytes:
    return json.dumps({"config": {"digest": blobs[0]}, "layers": [{"digest": one} for one in blobs[1:]]}).encode()


def code(body: bytes) -> str:
    return str(json.loads(body)["errors"][0]["code"])


def test_only_the_user_with_the_password_gets_in(registry: Registry, ask: Client) -> None:
    assert ask("GET", "/v2/")[0] == 200
    wrong = base64.b64encode(f"someone:{registry.password}".encode()).decode()
    for authorization in ("", "Bearer x", "Basic !!!", "Basic QVdTOndyb25n", f"Basic {wrong}"):
        ask.headers = {"Authorization": authorization}
        status, headers, body = ask("POST", "/v2/app/blobs/uploads/", b"not read as the next request")
        assert (status, code(body)) == (401, "UNAUTHORIZED")
        assert headers["WWW-Authenticate"].startswith("Basic realm=")


def test_an_upload_in_pieces(ask: Client, registry: Registry) -> None:
    status, headers, _ = ask("POST", "/v2/app/blobs/uploads/")
    assert status == 202
    place = headers["Location"]
    status, headers, _ = ask("PATCH", place, BLOB[:4000], Content_Range="0-3999")
    assert (status, headers["Range"]) == (202, "0-3999")
    assert ask("PATCH", place, BLOB[5000:], Content_Range="5000-9999")[0] == 416
    assert ask("GET", place)[1]["Range"] == "0-3999"
    status, headers, _ = ask("PATCH", place, iter([BLOB[4000:7000], BLOB[7000:9000]]))  # chunked, as Docker sends
    assert headers["Range"] == "0-8999"
    status, headers, _ = ask("PUT", f"{place}?digest={digest(BLOB)}", BLOB[9000:])
    assert (status, headers["Docker-Content-Digest"]) == (201, digest(BLOB))
    assert ask("GET", f"/v2/app/blobs/{digest(BLOB)}")[2] == BLOB
    status, headers, body = ask("HEAD", f"/v2/app/blobs/{digest(BLOB)}")
    assert (status, headers["Content-Length"], body) == (200, "10000", b"")
    assert registry.store.blob(digest(BLOB)) is not None
    assert ask("PUT", f"{place}?digest={digest(BLOB)}")[0] == 404


def test_a_wrong_digest_is_refused_and_nothing_kept(ask: Client, registry: Registry) -> None:
    status, _, body = ask("POST", f"/v2/app/blobs/uploads/?digest={digest(b'other')}", BLOB)
    assert (status, code(body)) == (400, "DIGEST_INVALID")
    assert ask("HEAD", f"/v2/app/blobs/{digest(b'other')}")[0] == 404
    assert not list(registry.store.uploads.iterdir())


def test_an_upload_is_cancelled(ask: Client) -> None:
    place = ask("POST", "/v2/app/blobs/uploads/")[1]["Location"]
    assert ask("DELETE", place)[0] == 204
    status, _, body = ask("PATCH", place, b"x")
    assert (status, code(body)) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_a_blob_is_mounted_instead_of_sent(ask: Client) -> None:
    known = ask.upload(BLOB)
    assert ask("POST", f"/v2/other/blobs/uploads/?mount={known}&from=app")[0] == 201
    assert ask("POST", f"/v2/other/blobs/uploads/?mount={digest(b'unknown')}&from=app")[0] == 202


def test_manifests_by_tag_and_by_digest(ask: Client, registry: Registry) -> None:
    body = manifest(ask.upload(b"{}"), ask.upload(BLOB))
    status, headers, _ = ask("PUT", "/v2/app/manifests/v1", body, Content_Type=MANIFEST)
    assert (status, headers["Docker-Content-Digest"]) == (201, digest(body))
    for reference in ("v1", digest(body)):
        status, headers, read = ask("GET", f"/v2/app/manifests/{reference}")
        assert (status, headers["Content-Type"], read) == (200, MANIFEST, body)
        status, headers, read = ask("HEAD", f"/v2/app/manifests/{reference}")
        assert (status, headers["Docker-Content-Digest"], read) == (200, digest(body), b"")
    untagged = manifest(ask.upload(b"{ }"))
    assert ask("PUT", f"/v2/app/manifests/{digest(untagged)}", untagged, Content_Type=MANIFEST)[0] == 201
    assert registry.store.digests("app") == [digest(body), digest(untagged)]
    assert ask("GET", "/v2/other/manifests/v1")[0] == 404


@pytest.mark.parametrize(
    ("reference", "body", "status", "expected"),
    [
        ("v1", manifest(digest(b"never pushed")), 404, "MANIFEST_BLOB_UNKNOWN"),
        ("v1", b"not json", 400, "MANIFEST_INVALID"),
        ("v1", b'{"layers": 3}', 400, "MANIFEST_INVALID"),
        ("v1", b"x" * (5 << 20), 413, "SIZE_INVALID"),
        (digest(b"something else"), b"{}", 400, "DIGEST_INVALID"),
        ("-v1", b"{}", 400, "TAG_INVALID"),
    ],
)
def test_manifests_that_are_refused(ask: Client, reference: str, body: bytes, status: int, expected: str) -> None:
    answered, _, read = ask("PUT", f"/v2/app/manifests/{reference}", body, Content_Type=MANIFEST)
    assert (answered, code(read)) == (status, expected)
    assert ask("GET", "/v2/")[0] == 200  # the connection still stands


def test_a_moved_tag_leaves_the_old_image(ask: Client) -> None:
    first, second = manifest(ask.upload(b"1")), manifest(ask.upload(b"2"))
    for body in (first, second):
        ask("PUT", "/v2/app/manifests/live", body, Content_Type=MANIFEST)
    assert ask("GET", "/v2/app/manifests/live")[2] == second
    assert ask("GET", f"/v2/app/manifests/{digest(first)}")[2] == first


def test_tags_are_listed_in_pages(ask: Client) -> None:
    body = manifest(ask.upload(b"1"))
    for tag in ("c", "a", "b"):
        ask("PUT", f"/v2/team/app/manifests/{tag}", body, Content_Type=MANIFEST)
    _, headers, read = ask("GET", "/v2/team/app/tags/list?n=2")
    assert json.loads(read) == {"name": "team/app", "tags": ["a", "b"]}
    _, headers, read = ask("GET", headers["Link"].split(";")[0].strip("<>"))
    assert (json.loads(read)["tags"], headers["Link"]) == (["c"], None)
    assert ask("GET", "/v2/team/app/tags/other")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/app/blobs/sha256:../../../etc/passwd", 404),
        ("GET", "/v2/app/blobs/..", 404),
        ("GET", "/v2/app/manifests/..", 404),
        ("GET", "/v2/../manifests/x", 404),
        ("PATCH", "/v2/app/blobs/uploads/..", 404),
        ("GET", "/elsewhere", 404),
        ("DELETE", "/v2/app/manifests/x", 405),
    ],
)
def test_what_is_no_resource(ask: Client, method: str, path: str, status: int) -> None:
    assert ask(method, path)[0] == status


def test_what_was_pushed_is_there_after_a_restart(tmp_path: Path, registry: Registry, ask: Client) -> None:
    body = manifest(ask.upload(b"1"))
    ask("PUT", "/v2/app/manifests/v1", body, Content_Type=MANIFEST)
    again = Registry(tmp_path / "registry")
    found = again.store.manifest("app", "v1")
    again.stop()
    assert found is not None
    assert found.digest == "sha256:" + hashlib.sha256(body).hexdigest()


def test_stop_ends_connections_that_are_kept_alive(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "stopped")
    registry.start()
    client = Client(registry)
    assert client("GET", "/v2/")[0] == 200
    registry.stop()
    with pytest.raises(OSError, match=r".*"):
        client("GET", "/v2/")
    client.close()
