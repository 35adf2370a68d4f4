"""The site as it is built and served: what it weighs, how it starts, and whether everybody can use it."""

import gzip
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import FRONTEND, World, log_in
from tests.browser.site import served

#: Bytes that a first visit may fetch, compressed.
FIRST_LOAD = 120_000
PAGES = (
    "/",
    "/parts",
    "/parts/1",
    "/parts/1/edit",
    "/parts/new",
    "/find?line=capacitor, 25 V",
    "/boxes",
    "/boxes/A1",
    "/low",
    "/history",
    "/labels?boxes=A1,A2",
    "/scan",
    "/projects",
    "/projects/2",
    "/shopping",
    "/imports",
    "/login",
    "/forgotten",
    "/set-password/x",
    "/account",
    "/people",
    "/nowhere",
)


def weight(build: Path, page: str) -> int:
    """Return what is fetched before a page is there: its scripts, those that they import, styles, and the HTML."""
    manifest = json.loads((build / ".vite" / "manifest.json").read_text())
    files = {"index.html"}
    todo = ["index.html", page]
    while todo:
        entry = manifest[todo.pop()]
        if entry["file"] not in files:
            files |= {entry["file"], *entry.get("css", ())}
            todo += entry.get("imports", ())
    return sum(len(gzip.compress((build / name).read_bytes())) for name in files)


@pytest.mark.parametrize("page", ["src/home/HomePage.vue", "src/parts/PartsPage.vue", "src/find/FindPage.vue"])
def test_a_first_visit_is_light(build: Path, page: str) -> None:
    assert weight(build, page) < FIRST_LOAD


def test_what_few_need_is_fetched_when_they_need_it(build: Path) -> None:
    manifest = json.loads((build / ".vite" / "manifest.json").read_text())
    decoder = next(name for name in manifest if name.endswith("qr/decode.js"))
    assert manifest[decoder]["isDynamicEntry"]


def test_one_build_serves_every_environment(build: Path) -> None:
    """No address is in it, and what may be cached for ever has its content's hash in its name."""
    for file in build.rglob("*.js"):
        assert "127.0.0.1" not in file.read_text()
    assert not (build / "config.json").exists()
    assert {file.suffix for file in (build / "assets").iterdir()} == {".js", ".css"}


def test_without_its_config_it_says_so(build: Path, chromium: Browser) -> None:
    with served(build, {}) as origin:
        page = chromium.new_page()
        page.goto(f"{origin}/parts/7")
        expect(page.get_by_role("heading", name="Stockweb cannot start")).to_be_visible()
        expect(page.get_by_text("/config.json is not JSON")).to_be_visible()
        page.close()


def test_nothing_but_its_own_scripts_runs(visitor: Page) -> None:
    visitor.goto("/")
    refused = """new Promise((resolve) => {
        addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective))
        document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = true' }))
    })"""
    assert visitor.evaluate(refused) == "script-src-elem"
    assert visitor.evaluate("window.ran") is None


def test_everybody_can_use_every_page(world: World, chromium: Browser) -> None:
    """axe finds nothing, in either mode, for somebody who is shown everything."""
    axe = (FRONTEND / "node_modules" / "axe-core" / "axe.min.js").read_text()
    found = {}
    with chromium.new_context(base_url=world.site, reduced_motion="reduce") as context:
        page = context.new_page()
        log_in(page, world, "admin")
        for address in PAGES:
            page.goto(address)
            page.wait_for_selector("main[aria-busy=false] h1", state="attached")
            page.evaluate(axe)
            for scheme, rules in (("light", "{}"), ("dark", "{ runOnly: ['color-contrast'] }")):
                page.emulate_media(color_scheme=scheme)
                for each in page.evaluate(f"axe.run({rules})")["violations"]:
                    found[address, scheme, each["id"]] = [node["html"] for node in each["nodes"]]
    assert found == {}
