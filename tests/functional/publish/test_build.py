"""Building a front end with a real shell, from a real git repository."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.config.site import Site
from seatrial.errors import ReleaseFailed, UsageError
from seatrial.publish import build
from tests.functional.emulator.support import eventually
from tests.functional.release.support import git

if TYPE_CHECKING:
    from pathlib import Path

COPY = "mkdir -p dist/assets && cp page.html dist/index.html && echo hi > dist/assets/a.js && echo compiled"

#: A build that says which process it is, and does not end.
BUILDS = """
import sys
from pathlib import Path
from seatrial.config.site import Site
from seatrial.publish import build
root = Path(sys.argv[1])
build.build(Site(source="front", build=f"echo $$ > {root}/pid; sleep 300; true"), root, None, print)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "front").mkdir()
    (tmp_path / "front" / "page.html").write_text("one")
    (tmp_path / "front" / ".dockerignore").write_text("*\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.name", "Test")
    git(tmp_path, "config", "user.email", "test@example.com")
    return commit(tmp_path)


def commit(root: Path) -> Path:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a version")
    return root


def made(root: Path, command: str = COPY, revision: str | None = None, **settings: Any) -> build.BuiltSite:
    said: list[str] = []
    return build.build(Site(source="front", build=command, **settings), root, revision, said.append)


def test_a_build_is_of_the_files_that_git_knows_and_made_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    (root / "front" / "ignored.txt").write_text("x")
    (root / ".gitignore").write_text("ignored.txt\n")
    commit(root)
    built = made(root, f'{COPY} && test ! -e ignored.txt && test -z "$AWS_REGION" && test "$CI" = true')
    assert set(built.manifest.files) == {"index.html", "assets/a.js"}
    assert built.version == git(root, "rev-parse", "HEAD")[:12]
    assert built.fresh
    again = made(root, f'{COPY} && test ! -e ignored.txt && test -z "$AWS_REGION" && test "$CI" = true')
    assert (again.fresh, again.manifest) == (False, built.manifest)
    assert git(root, "status", "--porcelain") == ""


def test_a_working_tree_is_built_as_it_is_and_a_revision_as_it_was(root: Path) -> None:
    (root / "front" / "page.html").write_text("two")
    (root / "front" / "new.txt").write_text("untracked")
    dirty = made(root, f"{COPY} && cp new.txt dist/")
    assert (dirty.folder / "index.html").read_text() == "two"
    assert "-" in dirty.version
    clean = made(root, COPY, "HEAD")
    assert (clean.folder / "index.html").read_text() == "one"


@pytest.mark.parametrize(
    ("command", "settings", "words"),
    [
        ("echo first; echo second >&2; exit 3", {}, "exit code 3"),
        ("true", {}, 'site.output "dist": `true` left no such folder'),
        ("mkdir dist", {}, 'site.output "dist" is empty'),
        ("mkdir dist && touch dist/a.txt", {}, "has no index.html"),
        (COPY, {"fallback": "404.html"}, r"has no 404.html \(site.fallback\)"),
        (f"{COPY} && ln -s /etc/hostname dist/host", {}, "host is a symbolic link to /etc/hostname"),
        (f"{COPY} && ln -s assets dist/more", {}, "more is a symbolic link to assets"),
    ],
)
def test_what_cannot_be_served_is_told(root: Path, command: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ReleaseFailed, match=words) as failed:
        made(root, command, **settings)
    if "exit 3" in command:
        assert failed.value.details == ("first", "second")
    assert not [each for each in (root / ".seatrial" / "sites").iterdir() if each.is_dir()]


def test_a_missing_tool_is_told_with_what_to_do(root: Path) -> None:
    with pytest.raises(ReleaseFailed, match="exit code 127") as failed:
        made(root, "no-such-bundler build")
    assert failed.value.hint is not None
    assert "install it" in failed.value.hint


def test_links_inside_and_background_processes_are_fine(root: Path) -> None:
    begin = time.monotonic()
    built = made(root, f"sleep 300 & {COPY} && ln -s index.html dist/home.html")
    assert (built.folder / "home.html").read_text() == "one"
    assert time.monotonic() - begin < 60


def test_a_folder_that_is_not_there_is_told(root: Path) -> None:
    with pytest.raises(UsageError, match="no such directory"):
        build.version(Site(source="nowhere", build="true"), root, None)


def test_an_interrupted_build_leaves_nothing_running(root: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", BUILDS, str(root)], stderr=subprocess.DEVNULL)
    shell = int(eventually(lambda: (root / "pid").exists() and (root / "pid").read_text().strip()))
    process.send_signal(signal.SIGINT)
    assert process.wait(30) != 0
    eventually(lambda: not alive(shell))


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_only_the_newest_builds_are_kept_on_this_machine(root: Path) -> None:
    for number in range(7):
        made(root, f"{COPY} && echo {number} > dist/n.txt")
    assert len(list((root / ".seatrial" / "sites").iterdir())) == 5
