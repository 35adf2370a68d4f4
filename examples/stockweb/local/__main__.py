"""``python -m local``: everything on this machine, with seed data and a login, until Ctrl-C.

Data is kept in ``.local/``. With ``PGHOST``, ``REDIS_URL`` or ``MEDIA_BUCKET`` set, those servers are used
instead of own ones.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local.services import object_store, postgres, valkey

PROJECT = Path(__file__).resolve().parent.parent
_MAKE_LOGIN = """
from django.contrib.auth import get_user_model
User = get_user_model()
if not User.objects.filter(username="keeper").exists():
    User.objects.create_superuser("keeper", password="keeper")
"""


def main() -> int:
    """Start the servers, migrate, seed, and serve on the port given (8000 unless told)."""
    port = sys.argv[1] if len(sys.argv) > 1 else "8000"
    with ExitStack() as stack:
        environment = {**os.environ, "DJANGO_DEBUG": "1"}
        if "PGHOST" not in environment:
            environment |= stack.enter_context(postgres(PROJECT / ".local" / "postgres", durable=True))
        if "REDIS_URL" not in environment:
            environment |= stack.enter_context(valkey(PROJECT / ".local" / "valkey"))
        if "MEDIA_BUCKET" not in environment:
            environment |= stack.enter_context(object_store(PROJECT / ".local" / "object_store"))
        for arguments in (("migrate", "--verbosity=0"), ("seed_data",), ("shell", "--verbosity=0", "-c", _MAKE_LOGIN)):
            subprocess.run([sys.executable, "manage.py", *arguments], cwd=PROJECT, env=environment, check=True)
        stack.enter_context(_worker(environment))
        print(f"http://127.0.0.1:{port}/  user keeper, password keeper; Ctrl-C ends it", flush=True)
        serve = [sys.executable, "-m", "uvicorn", "stockweb.asgi:application", "--host", "127.0.0.1", "--port", port]
        serve += ["--lifespan", "on", "--reload"]
        try:
            return subprocess.run(serve, cwd=PROJECT, env=environment, check=False).returncode
        except KeyboardInterrupt:
            return 0


@contextmanager
def _worker(environment: dict[str, str]) -> Iterator[None]:
    """Run what web processes leave to be done."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "stockweb",
        "worker",
        "--concurrency",
        "1",
        "--loglevel",
        "WARNING",
    ]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, process_group=0)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
