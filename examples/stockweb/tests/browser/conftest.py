"""The whole application as people meet it: the built site in a real Chromium, on another origin than the application.

The application runs as it does in production (gunicorn, uvicorn for the WebSocket, a worker) on a database of its own
with the seeds. All journeys of a run share it, as people do; each takes parts that no other takes.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from local.services import object_store
from tests.browser.film import camera, developed
from tests.browser.site import served
from tests.conftest import PROJECT
from tests.test_live import server as events_process
from tests.test_tasks import worker
from tests.test_web_process import web as web_process

FRONTEND = PROJECT / "frontend"
VIDEOS = PROJECT / ".videos"
DATABASE = "stockweb_browser"
PEOPLE = ("keeper", "viewer", "admin")
#: Milliseconds that a page may take on a machine that does much else.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)
#: Chromium asks for much of the network at its start, and its sandbox does not work for root.
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)

_FURNISH = f"""
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("seed_data")
from django.contrib.auth.models import User
from people.roles import Role, give
for name in {PEOPLE!r}:
    give(User.objects.create_user(name, password=name), Role(name))
"""


Filmed: TypeAlias = Callable[..., AbstractContextManager[Page]]


@dataclass(frozen=True)
class World:
    """Where everything is."""

    site: str
    api: str


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `npm run build` leaves, made now, so that it is of the sources that are tested."""
    npm = shutil.which("npm")
    assert npm is not None, "npm is missing: scripts/test-example brings it"
    assert (FRONTEND / "node_modules").is_dir(), "run `npm ci` in frontend/ (scripts/test-example does it)"
    target = tmp_path_factory.mktemp("site")
    command = [npm, "run", "--silent", "build", "--", "--outDir", str(target), "--logLevel", "warn"]
    done = subprocess.run(command, cwd=FRONTEND, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture(scope="package")
def world(
    servers: Mapping[str, str], collected: Path, build: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The application and the site, both running."""
    with ExitStack() as stack:
        stack.enter_context(_database(servers))
        config: dict[str, str] = {}
        site = stack.enter_context(served(build, config))
        environment = {
            "PATH": os.environ["PATH"],
            **servers,
            **stack.enter_context(object_store(tmp_path_factory.mktemp("bucket"))),
            "PGDATABASE": DATABASE,
            "DJANGO_SECRET_KEY": "k" * 50,
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "stockweb.settings",
            "DJANGO_STATIC_ROOT": str(collected),
            "SEATRIAL_VERSION": "v7",
            "SITE_URL": site,
        }
        furnish = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", _FURNISH]
        subprocess.run(furnish, cwd=PROJECT, env=environment, check=True, stdout=subprocess.DEVNULL)
        _, port = stack.enter_context(web_process(environment))
        _, socket = stack.enter_context(events_process(environment))
        stack.enter_context(worker(environment))
        api = f"http://127.0.0.1:{port}"
        config |= {"api": api, "socket": socket.removesuffix("/ws/movements")}
        yield World(site, api)


@pytest.fixture(scope="package")
def lens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera sees: a film in this file, once somebody has put it there."""
    return tmp_path_factory.mktemp("lens") / "seen.mjpeg"


@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory, lens: Path) -> Iterator[Browser]:
    """One Chromium for all journeys; each has a profile of its own."""
    program = shutil.which("chromium")
    assert program is not None, "Chromium is missing: apt-get install chromium (scripts/test-example does it)"
    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = str(camera(tmp_path_factory.mktemp("camera")))
    with sync_playwright() as playwright:
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={lens}"]
        browser = playwright.chromium.launch(executable_path=program, args=flags, chromium_sandbox=os.geteuid() != 0)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def films() -> Iterator[Callable[[Path, str], None]]:
    """Develops what was filmed while the next journey goes on, and waits for the last at the end."""
    shutil.rmtree(VIDEOS, ignore_errors=True)
    VIDEOS.mkdir()
    developing: list[subprocess.Popen[bytes]] = []

    def develop(film: Path, name: str) -> None:
        developing.append(developed(film, VIDEOS / f"{name}.mp4"))

    yield develop
    assert [process.wait() for process in developing] == [0] * len(developing)


@pytest.fixture(scope="package")
def session(world: World, chromium: Browser) -> StorageState:
    """The cookies of a keeper who logged in."""
    with _context(chromium, world) as context:
        log_in(context.new_page(), world, "keeper")
        return context.storage_state()


@pytest.fixture
def visitor(filmed: Filmed) -> Iterator[Page]:
    """Somebody who is not logged in, filmed."""
    with filmed() as page:
        yield page


@pytest.fixture
def keeper(filmed: Filmed, session: StorageState) -> Iterator[Page]:
    """Somebody who may change the stock, filmed."""
    with filmed(storage_state=session) as page:
        yield page


@pytest.fixture
def another(world: World, chromium: Browser, session: StorageState) -> Iterator[Page]:
    """Another keeper's window, not filmed."""
    with _context(chromium, world, storage_state=session) as context:
        yield context.new_page()


@pytest.fixture
def filmed(
    world: World,
    chromium: Browser,
    films: Callable[[Path, str], None],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Filmed:
    """Opens a browser window that is filmed. No error of a script passes unnoticed."""
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")

    @contextmanager
    def opened(**options: Any) -> Iterator[Page]:
        size = {"width": 1280, "height": 800}
        with _context(
            chromium, world, viewport=size, record_video_dir=tmp_path, record_video_size=size, **options
        ) as c:
            page = c.new_page()
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(f"{error}"))
            yield page
            assert errors == []
            page.close()
            assert page.video is not None
        films(Path(page.video.path()), name)

    return opened


def log_in(page: Page, world: World, name: str) -> None:
    """Log in as people do, and be on the first page."""
    page.goto(f"{world.site}/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(name)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name=name)).to_be_visible()


@contextmanager
def _context(chromium: Browser, world: World, **options: Any) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=world.site, reduced_motion="reduce", locale="en-GB", **options)
    context.set_default_timeout(PATIENCE)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def _database(servers: Mapping[str, str]) -> Iterator[None]:
    with psycopg.connect(
        host=servers["PGHOST"],
        port=servers.get("PGPORT", "5432"),
        user=servers.get("PGUSER"),
        password=servers.get("PGPASSWORD"),
        dbname="postgres",
        autocommit=True,
    ) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
        yield
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
