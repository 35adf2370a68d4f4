"""``python -m bench [PARTS]``: how long lists and searches take among so many parts (100 000 unless told).

On servers of its own. Requests go through the whole application in this process, as from somebody who is logged in and
so gets nothing from memory. Beside them the same search as other stock managers' queries are shaped, on the same
tables. Prints milliseconds; those of processors, PostgreSQL's included, are less disturbed by other work.
"""

import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import django
from django.test.utils import setup_databases, teardown_databases

from local.services import postgres, valkey

ROUNDS = 60
WARM = 5
LINES = 60
LINE = "bench capacitor, ≥ 10 µF, ≥ 25 V, X7R, in stock"


def main() -> None:
    """Make the parts, measure, print."""
    parts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whatever ends it, its servers and files go too
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stockweb-bench-")))
        scratch.chmod(0o711)  # PostgreSQL may have to run under another account
        os.environ |= stack.enter_context(postgres(scratch / "postgres", durable=True))
        os.environ |= stack.enter_context(valkey(scratch / "valkey"))
        os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "DJANGO_ALLOWED_HOSTS": "testserver"}
        django.setup()
        stack.enter_context(_database())
        print(f"making {parts} parts", file=sys.stderr)
        _fill(parts)
        print(f"| among {parts:,} parts | least | median | p95 | processor, mean |\n| --- |{' ---: |' * 4}")
        for name, act in _measured():
            times, processor = _timed(act)
            figures = (times[0], statistics.median(times), times[int(len(times) * 0.95)], processor)
            print(f"| {name} | {' | '.join(f'{each:.1f}' for each in figures)} |", flush=True)
        for name, pace in _paces():
            print(f"\n{name}: {pace}", flush=True)


@contextmanager
def _database() -> Iterator[None]:
    made = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        teardown_databases(made, verbosity=0)


def _fill(parts: int) -> None:
    from bench.fill import fill  # noqa: PLC0415 - Django has to be set up first
    from stock.seeds.plant import plant  # noqa: PLC0415

    plant()
    fill(parts)


def _measured() -> Iterator[tuple[str, Callable[[], object]]]:
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from bench.shapes import shapes  # noqa: PLC0415
    from parts.models import PartType  # noqa: PLC0415

    client = Client()
    client.force_login(User.objects.create_user("bench"))
    capacitor = PartType.objects.get(name="Bench capacitor").pk
    narrow = {
        "type": capacitor,
        "attr:capacitance": "4.7uF ±1%",
        "attr:voltage": "200V",
        "attr:dielectric": "X7R",
        "package": "0805",
    }
    wide = {"type": capacitor, "attr:voltage": "25V"}
    for name, path in {
        "list of parts, a page of 25": "/parts/",
        "list of parts by words": "/parts/?q=BENCH-777",
        f"API: {LINE}": f"/api/v1/find?{urlencode({'line': LINE})}",
        "API: 4.7 µF ±1%, ≥ 200 V, X7R, 0805": f"/api/v1/find?{urlencode(narrow)}",
        "API: every capacitor of 25 V or more": f"/api/v1/find?{urlencode(wide)}",
        "page: 4.7 µF ±1%, ≥ 200 V, X7R, 0805": f"/find/?{urlencode(narrow)}",
    }.items():
        yield name, lambda path=path: _asked(client, path)
    yield from shapes(LINE)
    report = _project()
    yield f"API: a project of {LINES} lines against the stock", lambda: _asked(client, report)


def _project() -> str:
    """Make a project whose lines are requirements, and return the address of its report."""
    from bench.fill import bom  # noqa: PLC0415 - Django has to be set up first
    from projects.importing import read_lines, replace_lines  # noqa: PLC0415
    from projects.models import Project  # noqa: PLC0415

    project = Project.objects.create(name="Bench")
    replace_lines(project, read_lines(bom(LINES)))
    return f"/api/v1/projects/{project.pk}/report"


def _paces() -> Iterator[tuple[str, object]]:
    from bench.ledger import one_lot  # noqa: PLC0415 - Django has to be set up first

    return one_lot()


def _asked(client: Any, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} is answered by {answer.status_code}")


def _timed(act: Callable[[], object]) -> tuple[list[float], float]:
    """Return the milliseconds of each round, ascending, and those of processors for a round."""
    for _ in range(WARM):
        act()
    times, before = [], _processor()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        act()
        times.append((time.perf_counter() - begun) * 1000)
    return sorted(times), (_processor() - before) * 1000 / ROUNDS


def _processor() -> float:
    """Return the seconds that processors worked for this process and for its session of PostgreSQL."""
    from django.db import connection  # noqa: PLC0415 - Django has to be set up first

    connection.ensure_connection()
    fields = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
