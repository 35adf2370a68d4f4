"""A photo on its way: announced to a web task, sent to the bucket by a browser, drawn by a worker, looked at."""

from __future__ import annotations

import json
import struct
import time
import urllib.request
import uuid
import zlib
from typing import TYPE_CHECKING, Any

from seatrial.release.oneoff import run
from seatrial.release.watch import TaskLogged
from tests.system.roles import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.system.stage import Stage

#: Somebody who may change parts, with a token, and a part to change.
PREPARE = """
import json
from django.contrib.auth import get_user_model
from parts.models import Part, PartType
from people.models import Token
from people.roles import Role, give
user, _ = get_user_model().objects.get_or_create(username="photographer")
give(user, Role.KEEPER)
of_type, _ = PartType.objects.get_or_create(parent=None, name="Photographed")
_, token = Token.make(user.pk, "camera", Token.Scope.WRITE, None)
print(json.dumps({"token": token, "part": Part.objects.create(type=of_type, name="Lamp").pk}))
"""


def test_a_photo_goes_to_the_bucket_and_back(released: Stage) -> None:
    made = prepared(released)
    api, part = Api(released.url, made["token"]), made["part"]
    content = png(40, 30)
    announced = api.post(f"parts/{part}/attachments", {"name": "x.png", "type": "image/png", "size": len(content)})
    upload, it = announced["upload"], announced["attachment"]["id"]
    assert preflight(upload["url"], released.url) == released.url
    assert send(upload["url"], upload["fields"], content) == 201
    assert api.post(f"attachments/{it}/complete")["state"] == "drawing"
    deadline = time.monotonic() + PATIENCE
    while (found := api.get(f"attachments/{it}"))["state"] == "drawing":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert (found["state"], found["width"], found["height"]) == ("ready", 40, 30)
    for address, mime in ((found["url"], "image/png"), (found["thumbnail_url"], "image/webp")):
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert answer.headers["Content-Type"] == mime
    bucket = released.aws.client("s3")
    (name,) = (each["Name"] for each in bucket.list_buckets()["Buckets"] if "media" in each["Name"])
    keys = {each["Key"] for each in bucket.list_objects_v2(Bucket=name)["Contents"]}
    assert keys == {f"files/{it}", f"thumbnails/{it}"}


class Api:
    """The example's API, for whoever has the token."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._headers = url, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def get(self, path: str) -> Any:
        return self._asked(path, None)

    def post(self, path: str, body: Any = None) -> Any:
        return self._asked(path, json.dumps(body or {}).encode())

    def _asked(self, path: str, body: bytes | None) -> Any:
        request = urllib.request.Request(f"{self._url}/api/v1/{path}", body, self._headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def prepared(stage: Stage) -> dict[str, Any]:
    """Have a task of the live image make what is needed."""
    lines: list[str] = []

    def note(event: object) -> None:
        if isinstance(event, TaskLogged):
            lines.append(event.text)

    command = ("python", "manage.py", "shell", "--verbosity", "0", "--command", PREPARE)
    ended = run(stage.settings, stage.aws, command=command, on_event=note)
    assert ended.exit_code == 0, lines
    return dict(json.loads(next(line for line in lines if '"token"' in line)))


def preflight(url: str, origin: str) -> str | None:
    """Ask as a browser does before a page sends a file to another host; return the origin that may."""
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    with urllib.request.urlopen(urllib.request.Request(url, None, headers, method="OPTIONS"), timeout=30) as answer:
        allowed: str | None = answer.headers["Access-Control-Allow-Origin"]
        return allowed


def send(url: str, fields: Mapping[str, str], content: bytes) -> int:
    """Post a form with a file in it."""
    boundary = uuid.uuid4().hex
    head = f"--{boundary}\r\nContent-Disposition: form-data; name="
    body = "".join(f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()).encode()
    body += f'{head}"file"; filename="x"\r\n\r\n'.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(url, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(answer.status)


def png(width: int, height: int) -> bytes:
    """Return a picture of one grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    points = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", points) + chunk(b"IEND", b"")
