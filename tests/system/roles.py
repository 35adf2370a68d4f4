"""What the tests of roles add to the example's copy, and what writes and reads there: ledgers, a driver, browsers."""

from __future__ import annotations

import json
import random
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import psycopg
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.stage import Stage

#: Seconds that anything here is waited for.
PATIENCE = 120.0

_MIGRATION = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("stock", "{newest}")]
    operations = [
        migrations.RunSQL(
            "CREATE TABLE stock_ledger (line bigserial, at timestamptz DEFAULT clock_timestamp(), who text, what text, "
            "number int)",
            "DROP TABLE stock_ledger",
        )
    ]
"""

_LEDGER = '''"""A line for each thing that processes did, in the order in which they did it."""

import os

from django.conf import settings
from django.db import connection

WHO = f"{settings.VERSION} {os.environ.get('HOSTNAME', '')} {os.getpid()}"


def note(what, number=0):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO stock_ledger (who, what, number) VALUES (%s, %s, %s)", (WHO, what, number))
'''

_TASKS = '''

def _count(kind, number, seconds):
    ledger.note(f"{kind} starts", number)
    time.sleep(seconds)
    ledger.note(f"{kind} ends", number)


@shared_task(acks_late=False)
def early(number, seconds):
    _count("early", number, seconds)


@shared_task(acks_late=True)
def late(number, seconds):
    _count("late", number, seconds)


def _overstay(kind, number, version):
    """End at once, but not under the given version: there, last until killed."""
    _count(kind, number, 300 if settings.VERSION == version else 0)


@shared_task(acks_late=False, time_limit=600)
def long_early(number, version):
    _overstay("long early", number, version)


@shared_task(acks_late=True, time_limit=600)
def long_late(number, version):
    _overstay("long late", number, version)


@shared_task
def tick():
    ledger.note("ticked")
'''

_BEAT = """

@beat_init.connect
def beat_begins(**_):
    from stock import ledgers

    ledgers.note("beat begins")
    atexit.register(ledgers.note, "beat ends")
    before_task_publish.connect(lambda sender, **_: ledgers.note("beat ticks"), weak=False)
"""

#: Reads a line of JSON, does what it says by the application's own code, and answers a line.
_DRIVER = """
import json, sys
import django
django.setup()
from django.db import connection
from parts.models import Part, PartType
from stock import ledger, tasks
from stock.models import Box

kind, _ = PartType.objects.get_or_create(parent=None, name="Driven")
part = Part.objects.create(type=kind, name="Driven")
box = Box.objects.create(code="DRIVEN")
for line in sys.stdin:
    what, *arguments = json.loads(line)
    if what == "add":
        answer = ledger.add(part.pk, box.pk, 1).movement
    else:
        answer = getattr(tasks, what).delay(*arguments).id
    print(json.dumps(answer), flush=True)
"""


def add_ledgers(stage: Stage) -> None:
    """Give the example's copy counting tasks, and a scheduler that ticks each second and says when it is alive."""
    migrations = stage.project / "stock" / "migrations"
    newest = max(file.stem for file in migrations.glob("[0-9]*.py"))
    (migrations / "9999_ledger.py").write_text(_MIGRATION.replace("{newest}", newest))
    (stage.project / "stock" / "ledgers.py").write_text(_LEDGER)
    stage.edit(
        "stock/tasks.py",
        lambda text: (
            text.replace("import logging\n", "import logging\nimport time\n").replace(
                "from stock import audit, low_stock\n",
                "from django.conf import settings\nfrom stock import audit, ledgers as ledger, low_stock\n",
            )
            + _TASKS
        ),
    )
    stage.edit(
        "stockweb/celery.py",
        lambda text: (
            text.replace("import os\n", "import atexit\nimport os\n").replace(
                "import setup_logging\n", "import beat_init, before_task_publish, setup_logging\n"
            )
            + _BEAT
        ),
    )
    # nobody asks for pages here, and this machine has few processors
    stage.edit(
        "seatrial.toml",
        lambda text: text.replace("count = 2\n", 'count = 1\nenvironment = { WEB_CONCURRENCY = "1" }\n', 1),
    )
    stage.edit(
        "stockweb/settings.py",
        lambda text: (
            text.replace('{"visibility_timeout": 120}', '{"visibility_timeout": 12}')
            + '\nCELERY_BEAT_SCHEDULE["tick"] = {"task": "stock.tasks.tick", "schedule": 1.0}\n'
        ),
    )


def environment_of(stage: Stage, unit: str) -> dict[str, str]:
    """Return the variables that a service's container has, its secrets too."""
    definition = stage.ecs.task_definition(stage.ecs.services([unit])[unit].task_definition).document
    (container,) = definition["containerDefinitions"]
    variables = {each["name"]: each["value"] for each in container["environment"]}
    client = stage.aws.client("secretsmanager")
    for each in container["secrets"]:
        parts = each["valueFrom"].split(":")
        value = client.get_secret_value(SecretId=":".join(parts[:7]))["SecretString"]
        key = parts[7] if len(parts) > 7 else ""
        variables[each["name"]] = str(json.loads(value)[key]) if key else value
    return variables


@dataclass(frozen=True)
class Line:
    line: int
    at: datetime
    who: str
    what: str
    number: int


class Ledger:
    """The database, as the application's processes wrote it."""

    def __init__(self, variables: dict[str, str]) -> None:
        names = {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "dbname", "PGUSER": "user", "PGPASSWORD": "password"}
        self._place: dict[str, Any] = {key: variables[name] for name, key in names.items()}

    def lines(self, what: str = "%") -> list[Line]:
        return [Line(*row) for row in self._all("SELECT * FROM stock_ledger WHERE what LIKE %s ORDER BY line", what)]

    def events(self, after: int) -> list[int]:
        """Return the positions of all events after one."""
        return [row[0] for row in self._all("SELECT id FROM stock_event WHERE id > %s ORDER BY id", after)]

    def _all(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(**self._place) as connection:
            return connection.execute(query, parameters).fetchall()


class Driver:
    """A process of the application that sends tasks and changes the stock, on its own and when told to."""

    def __init__(self, stage: Stage, variables: dict[str, str]) -> None:
        python = next((stage.project / ".seatrial").rglob("environments/*/bin/python"))
        self._process = subprocess.Popen(
            [str(python), "-c", _DRIVER], cwd=stage.project, text=True,
            env=variables | {"DJANGO_SETTINGS_MODULE": "stockweb.settings"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, name="tasks"),
            threading.Thread(target=self._add, name="stock"),
        ]
        self.numbers: dict[str, list[int]] = {"early": [], "late": []}

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def pause(self) -> None:
        """Do nothing more by itself."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def tell(self, *words: Any) -> Any:
        """Have one thing done."""
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def _send(self) -> None:
        """Send a task of one to two seconds, of both kinds in turn: two thirds of what the worker can do."""
        number = 0
        while not self._stopping.wait(1.1):
            number += 1
            kind = ("early", "late")[number % 2]
            self.numbers[kind].append(number)
            self.tell(kind, number, 1 + number % 5 / 5)

    def _add(self) -> None:
        while not self._stopping.wait(0.1):
            self.tell("add")


@dataclass(frozen=True)
class Close:
    """The end of a connection, as a browser is told it: 1006 where there was no word of the other side."""

    at: datetime
    code: int


@dataclass
class Browser:
    """Follows the stock as ``follow.js`` does: comes back after a growing pause, with the last position that it saw."""

    address: str
    started: int = -1
    positions: list[int] = field(default_factory=list)
    closes: list[Close] = field(default_factory=list)
    refused: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def position(self) -> int:
        return self.positions[-1] if self.positions else self.started

    @contextmanager
    def following(self) -> Iterator[Self]:
        thread = threading.Thread(target=self._follow, name="browser")
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def _follow(self) -> None:
        pause = 0.5
        while not self._stop.is_set():
            after = f"?after={self.position}" if self.started >= 0 else ""
            try:
                with connect(self.address + after, proxy=None) as socket:
                    while not self._stop.is_set():
                        try:
                            event = json.loads(socket.recv(0.2))
                        except TimeoutError:
                            continue
                        pause = 0.5
                        self._told(event)
            except ConnectionClosed as end:
                self.closes.append(Close(datetime.now(UTC), end.rcvd.code if end.rcvd is not None else 1006))
            except (InvalidHandshake, OSError):
                self.refused += 1
            self._stop.wait(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, 30)

    def _told(self, event: dict[str, Any]) -> None:
        if "movement" in event:
            self.positions.append(event["position"])
        elif self.started < 0:
            self.started = event["position"]
