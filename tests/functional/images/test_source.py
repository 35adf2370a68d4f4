"""Reading a version of a project out of a real git repository."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from seatrial.config.models import App, Image, Service, Settings
from seatrial.errors import UsageError
from seatrial.images import build
from seatrial.images.source import read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def git(place: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=place, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(place: Path) -> str:
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "a change")
    return git(place, "rev-parse", "HEAD")


def write(place: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    place = tmp_path / "repository" / "backend"
    write(
        place,
        {
            "Dockerfile": 'FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD ["python"]\n',
            "requirements.txt": "",
            "manage.py": "print()\n",
            "docs/guide.md": "hello\n",
            ".dockerignore": "docs\n",
            ".gitignore": "*.log\n",
            "../other/file": "outside of the context\n",
        },
    )
    (place / "manage.py").chmod(0o755)
    (place / "link").symlink_to("manage.py")
    git(place.parent, "init", "--quiet")
    commit(place)
    return place


def test_a_clean_working_tree_is_its_commit(project: Path) -> None:
    head = git(project, "rev-parse", "HEAD")
    tree, revision = read(project, None), read(project, "HEAD")
    assert tree == revision
    assert tree.version == head[:12]
    assert list(tree.files) == [".dockerignore", ".gitignore", "Dockerfile", "link", "manage.py", "requirements.txt"]
    assert tree.files["manage.py"].executable
    assert tree.files["link"].link == "manage.py"


def test_changes_make_a_version_of_their_own(project: Path) -> None:
    head = git(project, "rev-parse", "HEAD")
    write(project, {"new.py": "x\n", "debug.log": "ignored\n", "docs/more.md": "kept out\n"})
    (project / "requirements.txt").unlink()
    first = read(project, None)
    assert "new.py" in first.files
    assert not {"debug.log", "docs/more.md", "requirements.txt"} & set(first.files)
    assert first.version.startswith(f"{head[:12]}-")
    assert read(project, None).version == first.version
    write(project, {"new.py": "y\n"})
    assert read(project, None).version != first.version
    assert read(project, "HEAD").version == head[:12]


def test_a_change_outside_of_the_context_is_none(project: Path) -> None:
    write(project.parent, {"other/file": "changed\n"})
    assert read(project, None).version == git(project, "rev-parse", "HEAD")[:12]


def test_revisions_by_branch_tag_and_short_hash(project: Path) -> None:
    old = git(project, "rev-parse", "HEAD")
    git(project, "tag", "v1")
    git(project, "branch", "stable")
    write(project, {"manage.py": "print('new')\n"})
    commit(project)
    for name in ("v1", "stable", "HEAD~1", old[:8]):
        source = read(project, name)
        assert (source.version, source.text("manage.py")) == (old[:12], "print()\n")


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    write(tmp_path, {"a": "1"})
    assert list(read(tmp_path, None).files) == ["a"]


@pytest.mark.parametrize("revision", ["nowhere", "--output=/tmp/x"])
def test_an_unknown_revision(project: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="git knows no revision"):
        read(project, revision)


def test_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git"):
        read(tmp_path, None)
    with pytest.raises(UsageError, match="no such directory"):
        read(tmp_path / "absent", None)


def settings(**image: str) -> Settings:
    web = Service(command=("x",), port=8000, routes=("/*",))
    return Settings(app=App(name="app", settings="s"), services={"web": web}, name="local", image=Image(**image))  # type: ignore[arg-type]  # checked by pydantic


def test_a_bundle_of_a_checkout_is_the_same_everywhere(project: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(project.parent), str(clone))
    said: list[str] = []
    here = build(settings(), project, None, "bundle", said.append)
    there = build(settings(), clone / "backend", "HEAD", "bundle", said.append)
    above = build(settings(context="backend", dockerfile="backend/Dockerfile"), clone, None, "bundle", said.append)
    assert here.version == there.version == above.version
    assert here.digest == there.digest == above.digest
    assert here.digest is not None


def test_the_dockerfile_lies_in_the_context(project: Path) -> None:
    with pytest.raises(UsageError, match=r"outside of image\.context"):
        build(settings(dockerfile="../Dockerfile"), project, None, "bundle", print)
