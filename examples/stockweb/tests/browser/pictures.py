"""The pictures in ``docs/``, taken anew by ``python -m pytest tests/browser/pictures.py`` and by nothing else."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import World, log_in
from tests.conftest import PROJECT

DOCS = PROJECT / "docs"
WIDE, PHONE = (1280, 800), (390, 780)


@pytest.mark.parametrize(
    "picture",
    [
        ("parts", "/parts", "light", WIDE),
        ("part", "/parts/3", "light", WIDE),
        ("find", "/find?line=capacitor, ≥ 1 µF, ≥ 16 V, in stock", "dark", WIDE),
        ("project", "/projects/2", "light", WIDE),
        ("labels", "/labels?boxes=all", "light", WIDE),
        ("phone", "/parts?q=regulator", "light", PHONE),
    ],
)
def test_picture(
    world: World, chromium: Browser, tmp_path: Path, picture: tuple[str, str, str, tuple[int, int]]
) -> None:
    name, address, scheme, (width, height) = picture
    with chromium.new_context(base_url=world.site, color_scheme=scheme) as context:
        page = context.new_page()
        log_in(page, world, "admin")
        page.set_viewport_size({"width": width, "height": height})
        page.goto(address)
        page.wait_for_load_state("networkidle")
        if name == "parts":
            _begin_to_take(page)
        page.screenshot(path=tmp_path / "picture.png")
    DOCS.mkdir(exist_ok=True)
    convert = ["ffmpeg", "-loglevel", "error", "-y", "-i", str(tmp_path / "picture.png"), "-quality", "85"]
    subprocess.run([*convert, str(DOCS / f"{name}.webp")], check=True)


def _begin_to_take(page: Page) -> None:
    for key in "jjjt3":
        page.keyboard.press(key)
