"""The web server: so many threads, each with its own connection to the database. ``serve.py ADDRESS:PORT``."""

from __future__ import annotations

import os
import signal
import socketserver
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

THREADS = 8


class Server(socketserver.ThreadingMixIn, WSGIServer):
    request_queue_size = 128
    pool = ThreadPoolExecutor(THREADS)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's own asks for the name of the address
        self.server_name, self.server_port = "web", self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.pool.submit(self.process_request_thread, request, client_address)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def main(address: str) -> None:
    host, _, port = address.rpartition(":")
    from django.core.wsgi import get_wsgi_application  # type: ignore[import-not-found]

    with Server((host, int(port)), Quiet) as server:
        server.set_app(get_wsgi_application())
        import pages  # type: ignore[import-not-found]

        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        sys.stderr.write(f"serving {pages.VERSION}\n")
        server.serve_forever()
        server.pool.shutdown()


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    os.environ["PGAPPNAME"] = "web"
    main(sys.argv[1])
