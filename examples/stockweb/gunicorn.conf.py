"""How gunicorn serves. It reads this file by itself when it starts in this directory."""

import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))

# Load Django once and fork: both workers start at once and share its memory.
preload_app = True

# Longer than the load balancer keeps an idle connection to a target (60 seconds): the side that sends requests must be
# the one that closes, else a request meets a connection that is being closed, and the client gets a 502.
keepalive = 65

# A request in flight when SIGTERM comes has this long; ECS sends SIGKILL after 30 seconds.
graceful_timeout = 25
timeout = 60

# A worker proves that it is alive by touching a file; in memory, because a busy disk must not look like a dead worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes a private file in it

# Workers count into files there, so that each can tell the sum; see metrics/counting.py. Read before the application.
_counts = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="stockweb-metrics-", dir=worker_tmp_dir)
_arbiter = os.getpid()

# Nobody talks to the control socket, and two tasks on one machine must not share its path.
control_socket_disable = True

# The load balancer writes the access log. What gunicorn itself says takes the form that Django's LOGGING gives it,
# because the application, which sets that up, is loaded before the first worker.
accesslog = None


@atexit.register
def _leave_nothing_behind() -> None:
    if os.getpid() == _arbiter:  # a worker that ends leaves the counts to the others
        shutil.rmtree(_counts, ignore_errors=True)


def when_ready(_server: object) -> None:
    """Take what preloading made out of garbage collection, as :func:`gc.freeze` advises before a fork.

    A collection writes into every object it looks at, and a worker that writes gets its own copy of the memory. Most of
    all when it ends: stopping took three times as long.
    """
    gc.freeze()


def pre_fork(_server: object, _worker: object) -> None:
    """Close what preloading may have opened: two processes on one connection would read each other's answers."""
    from django.core.cache import caches  # noqa: PLC0415 - Django is not set up yet when this file is read
    from django.db import connections  # noqa: PLC0415

    connections.close_all()
    caches.close_all()


def child_exit(_server: object, worker: Any) -> None:
    """Forget the gauges of a worker that is gone; what it counted remains counted."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - as above

    mark_process_dead(worker.pid)
