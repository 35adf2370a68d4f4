"""The pure core of publishing: manifests, headers, the order of writes, what goes and what is invalidated."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.config.site import Site
from seatrial.publish import live as live_
from seatrial.publish import manifest as manifest_
from seatrial.publish.build import clean_environment
from seatrial.publish.changes import ALL, changes
from seatrial.publish.live import Config, Live, rendered, websocket_url
from seatrial.publish.manifest import ASKED_FOR, FOR_EVER, Manifest, cache_control, described
from seatrial.publish.types import content_type
from seatrial.release.record import Record
from seatrial.release.site import kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SITE = Site(source="front", build="make")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def built(contents: Mapping[str, str], site: Site = SITE) -> Manifest:
    return described(
        ((path, hashlib.sha256(text.encode()).hexdigest(), len(text)) for path, text in contents.items()), site
    )


def of_version(version: str, *more: str) -> Manifest:
    """A build whose page names a script with a hash in its name, and one without."""
    return built({"index.html": version, f"assets/{version}.js": version, "sw.js": version, **dict.fromkeys(more, "x")})


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


def replace_site(**changed: object) -> Site:
    return Site.model_validate(SITE.model_dump() | changed)


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


def test_a_second_build_writes_what_differs_in_order_and_removes_what_nobody_keeps() -> None:
    zero, one, two = of_version("zero"), of_version("one", "gone.txt"), of_version("two", "assets/page.html")
    there = {**zero.files, **one.files}
    found = changes(two.files, there, [two, one], SITE)
    assert found.stages == (("assets/two.js",), ("sw.js",), ("assets/page.html",), ("index.html",))
    assert found.removed == ("assets/zero.js", "gone.txt")
    assert found.invalidated == ("/", "/assets/page.html", "/gone.txt", "/index.html", "/sw.js")


def test_nothing_changes_where_all_is_there() -> None:
    one = of_version("one")
    assert not changes(one.files, one.files, [one], SITE)


def test_a_file_of_which_nothing_is_known_is_written_again() -> None:
    one = of_version("one")
    found = changes(one.files, {**one.files, "sw.js": None, "stray.txt": None}, [one], SITE)
    assert (found.stages, found.removed) == ((("sw.js",),), ("stray.txt",))


def test_other_headers_are_a_change() -> None:
    files = {"index.html": "a", "app.js": "b"}
    hashed = replace_site(immutable=["*.js"])
    found = changes(built(files, hashed).files, built(files).files, (), hashed)
    assert found.stages == (("app.js",),)


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        (["a b.txt", "ü*.txt"], ("/%C3%BC%2A.txt", "/a%20b.txt")),
        ([f"{number}.txt" for number in range(16)], ALL),
    ],
)
def test_invalidations_are_as_cloudfront_takes_them(names: list[str], paths: tuple[str, ...]) -> None:
    assert changes(built(dict.fromkeys(names, "x")).files, {}, (), SITE).invalidated == paths


VERSIONS = st.lists(st.sampled_from("abcdef"), min_size=2, max_size=8)


@given(VERSIONS, st.integers(min_value=1, max_value=4))
def test_no_page_ever_names_what_is_not_there(versions: list[str], keep: int) -> None:
    """Each build's page names the build's own script; after every single write and removal it must be there."""
    there: dict[str, str] = {}
    past: list[Manifest] = []
    for version in versions:
        build = built({"index.html": version, f"assets/{version}.js": version, "robots.txt": version})
        past = [build, *(each for each in past if each != build)]
        known = {path: built({path: text}).files[path] for path, text in there.items()}
        for path in steps(build, changes(build.files, known, past[:keep], SITE), there, version):
            page = there.get("index.html")
            assert page is None or f"assets/{page}.js" in there, (path, there)
        assert there.keys() >= build.files.keys()
        kept_scripts = {path for each in past[:keep] for path in each.files if path.startswith("assets/")}
        assert {path for path in there if path.startswith("assets/")} == kept_scripts


def steps(build: Manifest, found: object, there: dict[str, str], version: str) -> Iterator[str]:
    """Do what is to be done, one file after the other."""
    from seatrial.publish.changes import Changes

    assert isinstance(found, Changes)
    for path in [path for stage in found.stages for path in stage]:
        assert path in build.files
        there[path] = version
        yield path
    for path in found.removed:
        del there[path]
        yield path


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
