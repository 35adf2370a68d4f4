"""How long a file takes to be imported: every row is a new part with three attributes and a count in a box.

No queue: what is measured is the work of the worker.
"""

import random
import time
from collections.abc import Callable, Iterator

from django.contrib.auth.models import User

from bench.timing import marked
from exchange import checking, committing, desk
from stock.models import Box

ROWS = 10_000
#: Seconds for both, the dry run and the import.
BUDGET = 20
_HEADER = (
    "type,name,mpn,manufacturer,description,package,min_qty,attr:resistance,attr:tolerance,attr:power,box,quantity"
)


def measured(name: str) -> Iterator[tuple[str, str]]:
    """Yield names and times. ``name`` is in the parts' numbers, so that they are new."""
    user = User.objects.get_or_create(username="bench")[0].pk
    it = desk.hand_in(user, "bench.csv", _file(name))
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
    both = f"{dry + written:.1f} s, of it {dry:.1f} s for the dry run"
    yield f"import of {ROWS:,} rows, each a new part", marked(both, dry + written, BUDGET)


def _file(name: str) -> bytes:
    chance = random.Random(4)  # noqa: S311 - the same file in every run
    boxes = list(Box.objects.order_by("pk").values_list("code", flat=True))
    lines = [_HEADER]
    for n in range(ROWS):
        value = f"{chance.randrange(10, 99)}{chance.choice('Rk')}{chance.randrange(10)}"
        said = f"Resistor,Resistor {n},IMP-{name}-{n},Maker {n % 40},new by the bench,0805,{n % 7}"
        lines.append(f"{said},{value},±1%,1/8W,{chance.choice(boxes)},{n + 1}")
    return "\n".join(lines).encode()


def _seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
