"""``python -m bench.importing [ROWS]``: how long a file of so many rows (10 000 unless told) takes to be imported.

On servers of its own, with the seeds' types and boxes. Every row is a new part with five values and a count in a box;
then the same file with every row changed. No queue: what is measured is the work of the worker.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import django

from bench.__main__ import _database
from local.services import postgres, valkey


def main() -> None:
    """Make the files, import and export, print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stockweb-bench-")))
        scratch.chmod(0o711)  # PostgreSQL may have to run under another account
        os.environ |= stack.enter_context(postgres(scratch / "postgres", durable=True))
        os.environ |= stack.enter_context(valkey(scratch / "valkey"))
        os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "DJANGO_ALLOWED_HOSTS": "testserver"}
        django.setup()
        stack.enter_context(_database())
        print(f"| {rows:,} rows | dry run | import | both |\n| --- | ---: | ---: | ---: |")
        _measure(rows)


def _measure(rows: int) -> None:
    from django.contrib.auth.models import User  # noqa: PLC0415 - Django has to be set up first

    from exchange.export import export  # noqa: PLC0415
    from parts.models import Part  # noqa: PLC0415
    from seeds.plant import plant_parts  # noqa: PLC0415

    plant_parts()
    user = User.objects.create_user("bench").pk
    for name, changed in (("new parts", False), ("every part changed", True)):
        dry, written = _imported(user, _file(rows, changed=changed))
        print(f"| {name} | {dry:.1f} s | {written:.1f} s | {dry + written:.1f} s |", flush=True)
    begun = time.perf_counter()
    text = "".join(export(Part.objects.all()))
    print(f"| export, {len(text) / 2**20:.1f} MiB | | | {time.perf_counter() - begun:.1f} s |")


def _file(rows: int, *, changed: bool) -> bytes:
    from stock.models import Box  # noqa: PLC0415

    chance = random.Random(4)  # noqa: S311 - the same file in every run
    boxes = list(Box.objects.values_list("code", flat=True))
    header = (
        "type,name,mpn,manufacturer,description,package,min_qty,attr:resistance,attr:tolerance,attr:power,box,quantity"
    )
    lines = [header]
    for n in range(rows):
        value = f"{chance.randrange(10, 99)}{chance.choice('Rk')}{chance.randrange(10)}"
        said = (
            f"Resistor,Resistor {n},IMP-{n},Maker {n % 40},{'changed' if changed else 'new'} by the bench,0805,{n % 7}"
        )
        lines.append(f"{said},{value},±1%,{'1/4W' if changed else '1/8W'},{chance.choice(boxes)},{n + changed}")
    return "\n".join(lines).encode()


def _imported(user: int, content: bytes) -> tuple[float, float]:
    from exchange import checking, committing, desk  # noqa: PLC0415

    it = desk.hand_in(user, "bench.csv", content)
    desk.check(it, it.columns, {})
    it.refresh_from_db()
    dry = _seconds(lambda: checking.check(f"{it.pk}", it.run, clock=lambda: 0.0))
    if faults := [line.notes for line in it.lines.filter(verdict="error")[:3]]:
        raise RuntimeError(f"the file has errors: {faults}")
    desk.commit(it)
    written = _seconds(lambda: committing.commit(f"{it.pk}", it.run))
    it.refresh_from_db()
    if it.state != it.State.DONE:
        raise RuntimeError(it.error)
    return dry, written


def _seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
