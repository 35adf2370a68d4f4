"""What a build is, with which headers its files are served, and what is said to be live."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from seatrial.publish import live as live_
from seatrial.publish import manifest as manifest_
from seatrial.publish.build import clean_environment
from seatrial.publish.live import Config, Live, rendered, websocket_url
from seatrial.publish.manifest import ASKED_FOR, FOR_EVER, cache_control
from seatrial.publish.types import content_type
from seatrial.release.record import Record
from seatrial.release.site.actions import kept
from tests.unit.publish.support import SITE, built, replace_site

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "type_", "cache"),
    [
        ("index.html", "text/html; charset=utf-8", ASKED_FOR),
        ("assets/app-1a2b.js", "text/javascript; charset=utf-8", FOR_EVER),
        ("assets/deep/er/font.WOFF2", "font/woff2", FOR_EVER),
        ("assets/page.html", "text/html; charset=utf-8", ASKED_FOR),
        ("manifest.webmanifest", "application/manifest+json", ASKED_FOR),
        (".well-known/thing", "application/octet-stream", ASKED_FOR),
    ],
)
def test_what_a_file_is_served_with(path: str, type_: str, cache: str) -> None:
    assert (content_type(path), cache_control(path, SITE)) == (type_, cache)


def test_the_id_is_of_the_files_and_nothing_else() -> None:
    one = built({"index.html": "a", "b.css": "b"})
    assert one.id == built({"b.css": "b", "index.html": "a"}).id
    assert one.id != built({"index.html": "a", "b.css": "c"}).id
    assert manifest_.decoded(manifest_.encoded(one)) == one


def test_the_file_that_the_release_writes_is_no_part_of_the_build() -> None:
    files = {"index.html": "a", "config.json": "of the developer"}
    assert set(built(files).files) == {"index.html", "config.json"}
    configured = replace_site(config={"api": "{service_url}"})
    assert set(built(files, configured).files) == {"index.html"}


def test_the_configuration_is_filled_in_for_one_environment() -> None:
    site = replace_site(config={"api": "{service_url}/api", "live": "{websocket_url}/ws", "at": "{environment}"})
    values = {"service_url": "https://x.example", "websocket_url": websocket_url("https://x.example"),
              "site_url": "https://s", "version": "1a", "environment": "staging"}  # fmt: skip
    config = rendered(site, values)
    assert config is not None
    assert config.path == "config.json"
    assert '"api": "https://x.example/api"' in config.text
    assert '"live": "wss://x.example/ws"' in config.text
    assert rendered(SITE, values) is None
    assert websocket_url("http://127.0.0.1:8080") == "ws://127.0.0.1:8080"


def test_what_is_live_can_be_read_again() -> None:
    for config in (None, Config("config.json", '{"a": "b"}\n')):
        live = Live("sha256:1", "1a", 7, AT, config)
        text = live_.encoded(live)
        assert text.count(b"\n") == 1
        assert live_.decoded(text) == live
        assert live.same_site(replace(live, release=8))
        assert not live.same_site(replace(live, build="sha256:2"))


def test_the_newest_different_builds_are_kept() -> None:
    def record(number: int, site: str, ending: str = "released") -> Record:
        values = {"number": number, "version": "v", "digest": "", "revisions": {}, "who": "", "at": AT}
        return Record(**{**values, "site": site, "ending": ending})  # type: ignore[arg-type]

    newest_first = [record(6, "d"), record(5, "x", "rolled_back"), record(4, "c"), record(3, "c"), record(2, ""),
                    record(1, "b")]  # fmt: skip
    assert kept("e", newest_first, 3) == ("e", "d", "c")
    assert kept("c", newest_first, 3) == ("c", "d", "b")
    assert kept("e", newest_first, 1) == ("e",)


def test_a_build_gets_no_credentials() -> None:
    environment = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "s", "npm_config_registry": "r", "NODE_ENV": "production",
                   "HTTPS_PROXY": "p", "DJANGO_SECRET_KEY": "s"}  # fmt: skip
    assert clean_environment(environment) == {
        "PATH": "/bin",
        "npm_config_registry": "r",
        "HTTPS_PROXY": "p",
        "CI": "true",
    }
