"""``python -m bench [PARTS]``: how long lists and searches take among so many parts (100 000 unless told).

On servers of its own, or those of PGHOST and REDIS_URL, in a test database that is made and dropped. Requests go
through the whole application in this process, as from somebody who is logged in and so gets nothing from memory. Beside
them the same search as other stock managers' queries are shaped, on the same tables. Prints a table.
"""

import os
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
LINE = "bench capacitor, ≥ 10 µF, ≥ 25 V, X7R, in stock"


def main() -> None:
    """Make the parts, measure, print."""
    parts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stockweb-bench-")))
        scratch.chmod(0o711)  # PostgreSQL may have to run under another account
        if "PGHOST" not in os.environ:
            os.environ |= stack.enter_context(postgres(scratch / "postgres", durable=True))
        if "REDIS_URL" not in os.environ:
            os.environ |= stack.enter_context(valkey(scratch / "valkey"))
        os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "DJANGO_ALLOWED_HOSTS": "testserver"}
        django.setup()
        stack.enter_context(_database())
        print(f"making {parts} parts", file=sys.stderr)
        _fill(parts)
        print(f"| among {parts:,} parts | median ms | p95 ms |\n| --- | ---: | ---: |")
        for name, act in _measured():
            times = sorted(_timed(act))
            print(f"| {name} | {statistics.median(times):.1f} | {times[int(len(times) * 0.95)]:.1f} |", flush=True)


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
        f"API: {LINE}": f"/api/find?{urlencode({'line': LINE})}",
        "API: 4.7 µF ±1%, ≥ 200 V, X7R, 0805": f"/api/find?{urlencode(narrow)}",
        "API: every capacitor of 25 V or more": f"/api/find?{urlencode(wide)}",
        "page: 4.7 µF ±1%, ≥ 200 V, X7R, 0805": f"/find/?{urlencode(narrow)}",
    }.items():
        yield name, lambda path=path: _asked(client, path)
    yield from shapes(LINE)


def _asked(client: Any, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} is answered by {answer.status_code}")


def _timed(act: Callable[[], object]) -> Iterator[float]:
    """Yield milliseconds of each round, without those that warm up."""
    for number in range(WARM + ROUNDS):
        begun = time.perf_counter()
        act()
        if number >= WARM:
            yield (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()
