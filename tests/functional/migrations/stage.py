"""The migration cases as one Django project that is released on the emulator, and those who ask for its pages."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psycopg

from seatrial import release
from seatrial.config.load import load
from seatrial.infra import apply
from seatrial.release import facts, oneoff
from seatrial.release.watch import SmokeChecked, StepStarted
from tests.functional.migrations.support import interpreter
from tests.functional.release.support import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.project.migrations.verdict import Verdict
    from seatrial.release import Outcome
    from seatrial.release.tasks import Ended
    from seatrial.release.watch import ReleaseEvent
    from tests.functional.migrations.cases import Case

#: The newest version of Django that is tried: it knows most operations.
DJANGO = (6, 1)
PROJECT = Path(__file__).with_name("project")

#: Every table counts as large, and a service of one task is released blue/green.
TOML = """\
[app]
name = "cases"
settings = "settings"
[services.web]
command = ["{python}", "serve.py", "0.0.0.0:8000"]
port = 8000
routes = ["/*"]
health_check = {{ path = "/ready", interval = 5, timeout = 4, healthy = 2, unhealthy = 2 }}
drain = 1
stop_timeout = 5
[tasks.migrate]
command = ["{python}", "manage.py", "migrate", "--skip-checks", "--verbosity", "0"]
gate = true
[tasks.seed]
command = ["{python}", "manage.py", "seed"]
[smoke.ready]
path = "/ready"
retries = 2
[database]
[environments.local]
cloud = "emulator"
strategy = {{ type = "blue_green", bake = "1m" }}
[migrations]
python = "{python}"
large_table = 0
acknowledged = {acknowledged}
"""


@dataclass(frozen=True)
class Answer:
    """What a page said. ``version`` is that of the code which answered, empty where nobody did."""

    case: str
    page: str
    status: int
    version: str
    said: str


@dataclass
class Site:
    """The project, its environment on the emulator, and its users."""

    root: Path
    aws: Aws
    cases: Sequence[Case]
    url: str = ""
    test_url: str = ""

    @property
    def settings(self) -> Settings:
        return load(self.root / "seatrial.toml", "local")

    def build(self) -> None:
        """Write the project with the first migration of every case, make the infrastructure, release and seed."""
        self.root.mkdir()
        for file in PROJECT.glob("*.py"):
            (self.root / file.name).write_text(file.read_text())
        asked = {
            case.name: {"number": number, "rows": case.rows, "writes": case.writes, "reads": case.reads}
            for number, case in enumerate(self.cases, 1)
        }
        (self.root / "cases.json").write_text(json.dumps(asked))
        (self.root / "requirements.txt").touch()
        (self.root / "Dockerfile").write_text("FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\n")
        self.acknowledge(())
        git(self.root, "init", "-q")
        git(self.root, "config", "user.name", "Test")
        git(self.root, "config", "user.email", "test@example.com")
        self.commit("one", self.cases, "0001_before")
        apply(self.settings, self.aws)
        stack = facts.app_stack(self.settings, self.aws)
        self.url, self.test_url = stack.url, f"http://{stack.test_address}"
        outcome = self.deploy()
        assert outcome.ok, outcome
        assert oneoff.run(self.settings, self.aws, task="seed", on_event=lambda _: None).problem is None

    def acknowledge(self, names: Iterable[str]) -> None:
        text = TOML.format(python=interpreter(DJANGO), acknowledged=json.dumps(list(names)))
        (self.root / "seatrial.toml").write_text(text)

    def commit(self, version: str, cases: Iterable[Case], migration: str = "0002_change") -> None:
        """Commit a version that has this migration of these cases as well."""
        for case in cases:
            for path, content in case.files(DJANGO).items():
                if not path.endswith(".py") or migration in path or "__init__" in path:
                    (self.root / path).parent.mkdir(parents=True, exist_ok=True)
                    (self.root / path).write_text(content)
        (self.root / "version.txt").write_text(version)
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", version)

    def verdict(self) -> Verdict:
        """Return what ``plan`` says of the pending migrations."""
        verdict = release.plan(self.settings, self.root, self.aws).verdict
        assert verdict is not None
        return verdict

    def deploy(self, on_event: Callable[[ReleaseEvent], None] = lambda _: None) -> Outcome:
        return release.deploy(self.settings, self.root, self.aws, on_event=on_event)

    def run(self, *words: str) -> Ended:
        """Run a command of Django's on the image that is live."""
        command = (str(interpreter(DJANGO)), "manage.py", *words)
        return oneoff.run(self.settings, self.aws, command=command, on_event=lambda _: None)

    def pages(self) -> list[tuple[str, str]]:
        """Return case and name of every page."""
        usual = ("list", "create", "update", "delete")
        return [
            (case.name, page)
            for case in self.cases
            for page in (*usual, *(["odd"] if case.writes else []), *(["own"] if case.reads else []))
        ]

    def ask(self, case: str, page: str, *, url: str = "", patience: str = "") -> Answer:
        """Ask for one page. ``patience`` is how long it may wait for a lock, in PostgreSQL's words."""
        headers = {"X-Lock-Timeout": patience} if patience else {}
        request = urllib.request.Request(f"{url or self.url}/{case}/{page}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                status, text = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        except OSError as error:
            status, text = 0, f"\n{error}"
        version, _, said = text.partition("\n")
        return Answer(case, page, status, version, said)

    def ask_all(self, url: str = "") -> list[Answer]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda each: self.ask(*each, url=url), self.pages()))

    def database(self) -> psycopg.Connection[Any]:
        """Connect to the database as its tasks do."""
        instance = self.aws.client("rds").describe_db_instances()["DBInstances"][0]
        secret = self.aws.client("secretsmanager").get_secret_value(SecretId=instance["MasterUserSecret"]["SecretArn"])
        master, endpoint = json.loads(secret["SecretString"]), instance["Endpoint"]
        return psycopg.connect(
            host=endpoint["Address"],
            port=endpoint["Port"],
            dbname=instance["DBName"],
            user=master["username"],
            password=master["password"],
            autocommit=True,
        )


class Visitors:
    """Ask for all pages, one after the other and again and again."""

    def __init__(self, site: Site, number: int = 1) -> None:
        self.answers: list[Answer] = []
        self._site = site
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=(each,), daemon=True) for each in range(number)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _visit(self, number: int) -> None:
        pages = self._site.pages()
        begin = number * len(pages) // len(self._threads)
        for page in cycle([*pages[begin:], *pages[:begin]]):
            if self._stop.is_set():
                return
            self.answers.append(self._site.ask(*page))
            self._stop.wait(0.02)


@dataclass
class Observed:
    """One release, as its users saw it.

    ``before`` are all pages just before it, ``old`` and ``new`` those of both versions when the migrations are applied
    and both are alive; ``visits`` are those who came and went all the time.
    """

    before: list[Answer]
    outcome: Outcome | None = None
    old: list[Answer] = field(default_factory=list)
    new: list[Answer] = field(default_factory=list)
    visits: list[Answer] = field(default_factory=list)
    untouched: int = 0

    def event(self, site: Site, visitors: Visitors, event: ReleaseEvent) -> None:
        if isinstance(event, StepStarted) and "migrate" in event.step:
            self.untouched = len(visitors.answers)
        if isinstance(event, SmokeChecked):  # ECS waits: users have the old version, the test port has the new one
            self.old, self.new = site.ask_all(), site.ask_all(site.test_url)


def released(site: Site) -> Observed:
    """Release what is committed, under visitors."""
    observed = Observed(site.ask_all())
    with Visitors(site) as visitors:
        observed.outcome = site.deploy(lambda event: observed.event(site, visitors, event))
    observed.visits = visitors.answers
    return observed
