"""The order of writes, what goes, and what is invalidated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.publish.changes import ALL, Changes, changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.publish.manifest import Manifest

from tests.unit.publish.support import SITE, built, replace_site

VERSIONS = st.lists(st.sampled_from("abcdef"), min_size=2, max_size=8)


def of_version(version: str, *more: str) -> Manifest:
    """A build whose page names a script with a hash in its name, and one without."""
    return built({"index.html": version, f"assets/{version}.js": version, "sw.js": version, **dict.fromkeys(more, "x")})


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


def steps(build: Manifest, found: Changes, there: dict[str, str], version: str) -> Iterator[str]:
    """Do what is to be done, one file after the other."""
    for path in [path for stage in found.stages for path in stage]:
        assert path in build.files
        there[path] = version
        yield path
    for path in found.removed:
        del there[path]
        yield path
