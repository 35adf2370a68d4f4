"""The project that the faults are tried on: a web service that needs its database, a worker that needs its broker.

A version behaves as its ``tiny/mode.py`` says.
"""

from __future__ import annotations

from tests.functional import release_support

#: What a version may do wrong, and what it does where nothing is said.
MODES = {"WEB": "ok", "HOME": 200, "WORKER": "ok", "GATE": "ok", "SMOKE": "ok"}

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

FILES = {
    **release_support.FILES,
    "requirements.txt": "psycopg==3.3.9\npsycopg-binary==3.3.9\nredis==8.1.0\n",
    "tiny/gate.py": """\
        import time
        import psycopg
        from tiny import mode
        print("migrating", mode.GATE, flush=True)
        if mode.GATE == "hangs":
            time.sleep(600)
        with psycopg.connect(connect_timeout=5) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS releases (version text)")
            connection.execute("INSERT INTO releases VALUES (%s)", [mode.VERSION])
            if mode.GATE == "fails":
                try:
                    connection.execute("ALTER TABLE releases ADD COLUMN version text")
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
        import os, signal, threading
        import redis
        from tiny import mode
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1).ping()
        print("working", mode.VERSION, flush=True)
        stop.wait()
        """,
    "tiny/web.py": """\
        import os, signal, threading
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
        from tiny import mode
        if mode.WEB == "exits":
            import no_such_module
        if mode.WEB == "slow":  # to listen, longer than anybody waits
            threading.Event().wait()
        if mode.WEB == "hungry":
            hoard = b"x" * (600 * 1024 * 1024)
            threading.Event().wait()
        import psycopg

        class Database:
            def __init__(self):
                self.lock = threading.Lock()
                self.connection = None

            def ask(self):
                with self.lock:
                    try:
                        if self.connection is None:
                            self.connection = psycopg.connect(connect_timeout=2, autocommit=True)
                        self.connection.execute("SELECT 1")
                    except psycopg.Error:
                        self.connection = None
                        raise

        class Handler(BaseHTTPRequestHandler):
            pages = 0

            def do_GET(self):
                ready, status = self.path == "/ready", 200
                if ready and isinstance(mode.WEB, int):
                    status = mode.WEB
                elif ready:
                    try:
                        database.ask()
                    except psycopg.Error as error:
                        print("django.db.utils.OperationalError:", " ".join(str(error).split()), flush=True)
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

        database = Database()
        server = ThreadingHTTPServer(("0.0.0.0", 8000), Handler)
        stopping = signal.SIG_IGN if mode.WEB == "stubborn" else (
            lambda *_: threading.Thread(target=server.shutdown).start()
        )
        signal.signal(signal.SIGTERM, stopping)
        print("serving", mode.VERSION, flush=True)
        server.serve_forever()
        """,
}
