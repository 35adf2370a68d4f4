"""Files to attach, and how a browser sends them."""

import io
import urllib.request
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from PIL import Image

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"


class Queued:
    """What was queued. ``done()`` does it at the end of its block, as a worker would."""

    def __init__(self, on_commit: Any) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self._on_commit = on_commit

    def done(self) -> AbstractContextManager[Any]:
        """Return the block."""
        return self._on_commit(execute=True)


def picture(name: str = "JPEG", size: tuple[int, int] = (640, 480), **values: Any) -> bytes:
    """Return a photo, the upper half of it blue and the lower one red."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, 0, size[0], size[1] // 2))
    written = io.BytesIO()
    image.save(written, name, **values)
    return written.getvalue()


def post(url: str, fields: Mapping[str, str], content: bytes, mime: str) -> int:
    """Send a file as a browser's form does; return the status."""
    boundary = uuid.uuid4().hex
    head = f"--{boundary}\r\nContent-Disposition: form-data; name="
    parts = [f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    parts.append(f'{head}"file"; filename="x"\r\nContent-Type: {mime}\r\n\r\n')
    body = "".join(parts).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(url, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    with urllib.request.urlopen(request) as answer:
        return int(answer.status)
