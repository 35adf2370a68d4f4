"""``overlap = "skip"``: a job that does nothing while an earlier run of it still goes on. Pure.

EventBridge Scheduler has no such setting: it starts a task at each time and does not ask what became of the last. So
the job's command is wrapped in a program that first takes an advisory lock of PostgreSQL and does not wait for it
("Advisory Locks", postgresql.org/docs/current/explicit-locking.html). The lock is of the database session, and so it
is gone with the task, however that ends. Nothing is asked of ECS: its lists are eventually consistent, two tasks that
start together would each see or miss the other, and the job would need permissions that its code then has as well.

The wrapper runs in the image, on its ``python`` and the database driver that Django needs there anyway (psycopg, or
psycopg2). Passing the signal on lets the job end in its own way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Exit code as a shell has it. Keepalives: a connection through which nothing is said must not be taken for dead.
WRAPPER = """\
import signal, subprocess, sys
try:
    from psycopg import connect
except ImportError:
    from psycopg2 import connect
name, command = sys.argv[1], sys.argv[2:]
session = connect("keepalives_idle=30")
session.autocommit = True
lock = session.cursor()
lock.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", (name,))
if not lock.fetchone()[0]:
    sys.exit(print(f"seatrial: skipped, for an earlier run of {name} is under way", flush=True))
job = subprocess.Popen(command)
signal.signal(signal.SIGTERM, lambda number, _: job.send_signal(number))
code = job.wait()
sys.exit(code if code >= 0 else 128 - code)
"""


def alone(name: str, command: Sequence[str]) -> tuple[str, ...]:
    """Return the command that runs ``command`` unless one of this name runs, and then ends with 0 and says so."""
    return ("python", "-c", WRAPPER, name, *command)
