"""How long pages take in a real Chromium: the built site, the application in gunicorn, both on loopback.

From the address being asked for until the rows of the page are there, with the site's files in the browser's cache,
as on every visit but the first.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from django.db import connection

from bench.asking import LINE
from tests.browser.conftest import FLAGS, FRONTEND
from tests.browser.site import served
from tests.conftest import PROJECT
from tests.test_web_process import web

ROUNDS = 20
WARM = 3
_ROW = "[data-row] a"
_PAGES = {
    "list of parts": "/parts",
    "parts by words": "/parts?q=BENCH-777",
    "what suits “" + LINE + "”": f"/find?{urlencode({'line': LINE})}",
}


def pages(environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield names and times; nothing where there is no Chromium or no npm."""
    program, npm = shutil.which("chromium"), shutil.which("npm")
    if program is None or npm is None:
        print("no page is loaded: there is no chromium or no npm", file=sys.stderr)
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with _site(environment, npm) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=list(FLAGS), chromium_sandbox=os.geteuid() != 0
        )
        page = browser.new_context().new_page()
        for name, path in _PAGES.items():
            times = []
            for _ in range(WARM + ROUNDS):
                begun = time.perf_counter()
                page.goto(f"{site}{path}", wait_until="commit")
                page.wait_for_selector(_ROW)
                times.append((time.perf_counter() - begun) * 1000)
            times = sorted(times[WARM:])
            told = f"{statistics.median(times):.0f} / {times[int(len(times) * 0.95)]:.0f}"
            yield f"Chromium: {name}, rows are there", told
        browser.close()


@contextmanager
def _site(environment: dict[str, str], npm: str) -> Iterator[str]:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="stockweb-bench-site-")))
        build = [
            npm,
            "run",
            "--silent",
            "build",
            "--",
            "--outDir",
            f"{scratch / 'site'}",
            "--emptyOutDir",
            "--logLevel",
            "warn",
        ]
        subprocess.run(build, cwd=FRONTEND, check=True, stdout=subprocess.DEVNULL)
        config: dict[str, str] = {}
        site = stack.enter_context(served(scratch / "site", config))
        variables = environment | {
            "PATH": os.environ["PATH"],
            "PGDATABASE": connection.settings_dict["NAME"],
            "DJANGO_SECRET_KEY": "b" * 50,
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "stockweb.settings",
            "DJANGO_STATIC_ROOT": f"{scratch / 'static'}",
            "SITE_URL": site,
        }
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(collect, cwd=PROJECT, env=variables, check=True)
        _, port = stack.enter_context(web(variables))
        config |= {"api": f"http://127.0.0.1:{port}", "socket": f"ws://127.0.0.1:{port}"}
        yield site
