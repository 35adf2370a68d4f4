"""``python -m bench [PARTS ...]``: how long things take among so many parts (10 000 and 100 000 unless told).

On servers of its own; PostgreSQL is set as RDS sets it on two processors and 8 GiB, but for its place on this machine.
Beside this application's searches run the same ones as other stock managers' queries are shaped, on the same tables.
Prints one table: medians and 95th percentiles in milliseconds. What is over its budget is printed bold.
"""

import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
from django.test.utils import setup_databases, teardown_databases

from local.services import postgres, valkey

#: What RDS gives PostgreSQL on a db.t4g.large or a db.m7g.large: a quarter of the memory for its own buffers, and half
#: of it is taken for what is cached anyway.
SETTINGS = {"shared_buffers": "2GB", "effective_cache_size": "4GB", "maintenance_work_mem": "128MB"}


def main() -> None:
    """Make the parts, measure, print."""
    sizes = [int(each) for each in sys.argv[1:]] or [10_000, 100_000]
    with _servers() as environment, _database():
        from seeds.plant import plant  # noqa: PLC0415 - Django has to be set up first

        plant()
        rows: dict[str, dict[int, str]] = {}
        for size in sorted(sizes):
            for name, cell in _column(size, environment):
                print(f"{size:,}: {name}: {cell}", file=sys.stderr, flush=True)
                rows.setdefault(name, {})[size] = cell
        print("\n".join(_table(rows, sorted(sizes))))


@contextmanager
def _servers() -> Iterator[dict[str, str]]:
    """Run the servers and set Django up for them; yield the variables by which they are found."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whatever ends it, its servers and files go too
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stockweb-bench-")))
        scratch.chmod(0o711)  # PostgreSQL may have to run under another account
        found = stack.enter_context(postgres(scratch / "postgres", durable=True, settings=SETTINGS))
        found |= stack.enter_context(valkey(scratch / "valkey"))
        found |= {"API_LIMIT_ANONYMOUS": "0", "API_LIMIT_USER": "0"}
        os.environ |= found | {"DJANGO_SETTINGS_MODULE": "tests.settings", "DJANGO_ALLOWED_HOSTS": "testserver"}
        django.setup()
        yield found


@contextmanager
def _database() -> Iterator[None]:
    made = setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        teardown_databases(made, verbosity=0)


def _column(size: int, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what is measured among so many parts, by name."""
    from bench import importing, ledger, loading  # noqa: PLC0415 - Django has to be set up first
    from bench.asking import asked  # noqa: PLC0415
    from bench.fill import fill  # noqa: PLC0415
    from bench.timing import marked, timed  # noqa: PLC0415

    begun = time.perf_counter()
    fill(size)
    yield "making the parts, seconds", f"{time.perf_counter() - begun:.0f}"
    for each in asked():
        times = timed(each.act)
        told = f"{times}, {times.queries} {'query' if times.queries == 1 else 'queries'}"
        yield each.name, marked(told, times.p95, each.budget.get(size))
    yield from ledger.one_lot()
    yield from loading.pages(environment)
    yield from importing.measured(f"{size}")


def _table(rows: dict[str, dict[int, str]], sizes: list[int]) -> Iterator[str]:
    from django.db import connection  # noqa: PLC0415 - Django has to be set up first

    version = ".".join(map(str, divmod(connection.pg_version, 10_000)))
    said = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} processors ({platform.machine()}), PostgreSQL {version}"
    yield f"{said}, {', '.join(f'{name} {value}' for name, value in SETTINGS.items())}; median / p95 in ms:\n"
    yield f"| among parts | {' | '.join(f'{size:,}' for size in sizes)} |\n| --- |{' ---: |' * len(sizes)}"
    for name, cells in rows.items():
        yield f"| {name} | {' | '.join(cells.get(size, '') for size in sizes)} |"


if __name__ == "__main__":
    main()
