"""The built site on an origin of its own, served as S3 and CloudFront do: files, and the fallback for what is none."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FALLBACK = "/index.html"


class _Site(SimpleHTTPRequestHandler):
    """``config`` is what a release would have written to ``config.json``; without it that file is missing."""

    protocol_version = "HTTP/1.1"
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".webmanifest": "application/manifest+json"}

    def __init__(self, *args: object, config: Mapping[str, str], **kwargs: object) -> None:
        self._config = config
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        path = self.path.split("?", 1)[0]
        if path == "/config.json" and self._config:
            self._answer(json.dumps(dict(self._config)).encode())
            return
        if not Path(self.translate_path(path)).is_file():
            self.path = FALLBACK
        super().do_GET()

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing: a test that fails shows what the page says."""


@contextmanager
def served(files: Path, config: dict[str, str]) -> Iterator[str]:
    """Serve a build; yield its origin. ``config`` may be filled in when the origin is known."""
    handler = partial(_Site, directory=str(files), config=config)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
