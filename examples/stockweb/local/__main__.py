"""``python -m local``: everything on this machine but the front end, with seed data and a login, until Ctrl-C.

The front end is developed beside it: ``npm run dev`` in ``frontend/``, from which requests are allowed.

Data is kept in ``.local/``, with ``STOCKWEB_STORE=mongo`` by a server for MongoDB's protocol. With ``PGHOST``,
``MONGODB_URI``, ``REDIS_URL`` or ``MEDIA_BUCKET`` set, those servers are used instead of own ones.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local.services import mongodb, object_store, postgres, valkey

PROJECT = Path(__file__).resolve().parent.parent
#: Where `npm run dev` serves the front end: frontend/vite.config.ts says so.
FRONT_END = "http://127.0.0.1:5173"
_MAKE_LOGIN = """
from django.contrib.auth import get_user_model
User = get_user_model()
if not User.objects.filter(username="keeper").exists():
    User.objects.create_superuser("keeper", password="keeper")
"""


def main() -> int:
    """Start the servers, migrate, seed, and serve on the port given (8000 unless told)."""
    port = sys.argv[1] if len(sys.argv) > 1 else "8000"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whatever ends it, its servers and its worker go too
    with ExitStack() as stack:
        environment = {"SITE_URL": FRONT_END, **os.environ, "DJANGO_DEBUG": "1"}
        if environment.get("STOCKWEB_STORE") == "mongo":
            if "MONGODB_URI" not in environment:
                environment |= stack.enter_context(mongodb(PROJECT / ".local" / "mongodb"))
        elif "PGHOST" not in environment:
            environment |= stack.enter_context(postgres(PROJECT / ".local" / "postgres", durable=True))
        if "REDIS_URL" not in environment:
            environment |= stack.enter_context(valkey(PROJECT / ".local" / "valkey"))
        if "MEDIA_BUCKET" not in environment:
            environment |= stack.enter_context(object_store(PROJECT / ".local" / "object_store"))
        for arguments in (("migrate", "--verbosity=0"), ("seed_data",), ("shell", "--verbosity=0", "-c", _MAKE_LOGIN)):
            subprocess.run([sys.executable, "manage.py", *arguments], cwd=PROJECT, env=environment, check=True)
        worker = ["celery", "-A", "stockweb", "worker", "--concurrency", "1", "--loglevel", "WARNING"]
        serve = ["uvicorn", "stockweb.asgi:application", "--host", "127.0.0.1", "--port", port]
        stack.enter_context(_running(worker, environment))
        print(f"http://127.0.0.1:{port}/ and, by `npm run dev`, {FRONT_END}/", flush=True)
        print("user keeper, password keeper; Ctrl-C ends it", flush=True)
        web = stack.enter_context(_running([*serve, "--lifespan", "on", "--reload"], environment))
        try:
            return web.wait()
        except KeyboardInterrupt:
            return 0


@contextmanager
def _running(module: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module of Python's as a program; it is told to end when the block does."""
    process = subprocess.Popen([sys.executable, "-m", *module], cwd=PROJECT, env=environment, process_group=0)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
