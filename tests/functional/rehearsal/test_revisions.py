"""Which revision is the old one, in real repositories."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import UsageError
from seatrial.rehearsal.revisions import old_revision

if TYPE_CHECKING:
    from pathlib import Path


def git(root: Path, *arguments: str) -> str:
    names = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", str(root), *names, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(root: Path, file: str, text: str) -> str:
    (root / file).parent.mkdir(exist_ok=True)
    (root / file).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", text)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def test_head_when_the_working_tree_differs(repository: Path) -> None:
    head = commit(repository, "shop/a", "one")
    (repository / "shop" / "new").write_text("x")
    assert old_revision(repository / "shop", None) == head


def test_the_last_but_one_that_touched_the_project_when_it_does_not(repository: Path) -> None:
    first = commit(repository, "shop/a", "one")
    commit(repository, "shop/a", "two")
    commit(repository, "elsewhere", "three")
    assert old_revision(repository / "shop", None) == first


def test_a_merged_branch_counts_as_one_commit(repository: Path) -> None:
    commit(repository, "shop/a", "one")
    git(repository, "checkout", "-qb", "side")
    commit(repository, "shop/b", "of the branch")
    commit(repository, "shop/b", "of the branch too")
    git(repository, "checkout", "-q", "-")
    before = commit(repository, "shop/a", "two")
    git(repository, "merge", "-q", "--no-ff", "--no-edit", "side")
    assert old_revision(repository / "shop", None) == before


def test_a_project_of_one_commit_is_released_over_itself(repository: Path) -> None:
    head = commit(repository, "shop/a", "one")
    assert old_revision(repository / "shop", None) == head


def test_a_given_revision_wins(repository: Path) -> None:
    first = commit(repository, "shop/a", "one")
    git(repository, "tag", "v1")
    commit(repository, "shop/a", "two")
    assert old_revision(repository / "shop", "v1") == first
    with pytest.raises(UsageError, match='no revision "v9"'):
        old_revision(repository, "v9")


def test_no_repository_and_no_commit_are_named(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(UsageError, match="nothing is committed yet"):
        old_revision(repository, None)
    with pytest.raises(UsageError, match="not a git repository"):
        old_revision(tmp_path_factory.mktemp("bare"), None)
