"""The project that the faults are tried on: a web service that needs its database, a worker that needs its broker.

A version behaves as its ``tiny/mode.py`` says.
"""

from __future__ import annotations

from tests.functional.release import support as release_support

#: What a version may do wrong, and what it does where nothing is said.
MODES = {"WEB": "ok", "HOME": 200, "WORKER": "ok", "GATE": "ok", "SMOKE": "ok", "SITE": "ok"}

TOML = """\
[app]
name = "shop"
settings = "tiny.settings"
[services.web]
command = ["python", "-m", "tiny.web"]
port = 8000
routes = ["/*"]
health_check = { path = "/ready", interval = 5, timeout = 2, healthy = 2, unhealthy = 2 }
grace_period = 3
drain = 1
stop_timeout = 5
[services.worker]
role = "worker"
command = ["python", "-m", "tiny.worker"]
stop_timeout = 5
[tasks.migrate]
command = ["python", "-m", "tiny.gate"]
gate = true
timeout = 5
stop_timeout = 2
[database]
deletion_protection = false
[cache]
[migrations]
check = false
[environments.local]
cloud = "emulator"
"""

SMOKE = """
[smoke.home]
path = "/home"
[smoke.check]
command = ["python", "-m", "tiny.smoke"]
"""

#: A front end whose only page is its mode.
SITE = """
[site]
source = "front"
build = "grep -v breaks mode && mkdir dist && cp mode dist/index.html"
"""

FILES = {
    **release_support.FILES,
    "requirements.txt": "psycopg==3.3.9\npsycopg-binary==3.3.9\n",
    "tiny/servers.py": """\
        # What is asked ten times a second is asked with few words: client libraries take longer to import than all the
        # rest of a task does to start.
        import os, socket, struct

        def ask_database():
            try:
                address = (os.environ["PGHOST"], int(os.environ["PGPORT"]))
                with socket.create_connection(address, timeout=2) as connection:
                    connection.sendall(struct.pack("!II", 8, 80877103))  # SSLRequest: PostgreSQL answers S or N
                    if connection.recv(1) in (b"S", b"N"):
                        return
            except OSError:
                pass
            import psycopg
            try:
                psycopg.connect(connect_timeout=2).close()
            except psycopg.Error as error:
                raise RuntimeError(f"django.db.utils.OperationalError: {' '.join(str(error).split())}")

        def ask_broker():
            host, _, port = os.environ["REDIS_URL"].partition("//")[2].partition("/")[0].partition(":")
            try:
                with socket.create_connection((host, int(port or 6379)), timeout=0.3) as connection:
                    connection.sendall(b"PING\\r\\n")
                    assert connection.recv(5) == b"+PONG"
            except TimeoutError:  # in redis-py's words; ECS takes a worker that still runs after a while for healthy
                raise SystemExit("redis.exceptions.TimeoutError: Timeout reading from socket")
        """,
    "tiny/gate.py": """\
        import time
        from tiny import mode, servers
        print("migrating", mode.GATE, flush=True)
        servers.ask_database()
        if mode.GATE == "hangs":
            time.sleep(600)
        if mode.GATE == "fails":
            import psycopg
            with psycopg.connect(connect_timeout=5) as connection:
                connection.execute("CREATE TEMPORARY TABLE parts (name text)")
                try:
                    connection.execute("ALTER TABLE parts ADD COLUMN name text")
                except psycopg.Error as error:
                    raise SystemExit(f"django.db.utils.ProgrammingError: {error}")
        """,
    "tiny/smoke.py": """\
        import time
        from tiny import mode
        print("checking", mode.SMOKE, flush=True)
        if mode.SMOKE == "hangs":
            time.sleep(600)
        """,
    "tiny/worker.py": """\
        import signal, threading
        from tiny import mode, servers
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        servers.ask_broker()
        print("working", mode.VERSION, flush=True)
        stop.wait()
        """,
    "tiny/web.py": """\
        import os, signal, threading
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
        from tiny import mode, servers
        if mode.WEB == "exits":
            import no_such_module
        if mode.WEB == "slow":  # to listen, longer than anybody waits
            threading.Event().wait()
        if mode.WEB == "hungry":
            hoard = b"x" * (600 * 1024 * 1024)
            threading.Event().wait()

        class Handler(BaseHTTPRequestHandler):
            pages = 0

            def do_GET(self):
                ready, status = self.path == "/ready", 200
                if ready and isinstance(mode.WEB, int):
                    status = mode.WEB
                elif ready:
                    try:
                        servers.ask_database()
                    except RuntimeError as error:
                        print(error, flush=True)
                        status = 503
                else:
                    status = mode.HOME
                    Handler.pages += 1
                    if mode.WEB == "crashes" and Handler.pages == 5:
                        print("RuntimeError: the fifth page", flush=True)
                        os._exit(3)
                body = mode.VERSION.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("0.0.0.0", 8000), Handler)
        stopping = signal.SIG_IGN if mode.WEB == "stubborn" else (
            lambda *_: threading.Thread(target=server.shutdown).start()
        )
        signal.signal(signal.SIGTERM, stopping)
        print("serving", mode.VERSION, flush=True)
        server.serve_forever()
        """,
}
