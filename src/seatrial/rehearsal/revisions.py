"""Which version is the old one: the revision that the working tree is released over."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from seatrial.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def old_revision(root: Path, given: str | None) -> str:
    """Return the commit to release first, as a full id.

    ``given`` if there is one; else HEAD when the project's working tree differs from it; else the last commit before
    HEAD's that touched the project; else HEAD itself (a project of one commit is released over itself).
    Raises :class:`~seatrial.errors.UsageError` when ``root`` is in no repository, has no commit, or lacks ``given``.
    """
    if given is not None:
        return _git(root, "rev-parse", "--verify", "--quiet", f"{given}^{{commit}}", problem=f'no revision "{given}"')
    _git(root, "rev-parse", "--verify", "--quiet", "HEAD", problem="nothing is committed yet")
    if _git(root, "status", "--porcelain", "--", ".", problem="git status failed"):
        return _git(root, "rev-parse", "HEAD", problem="nothing is committed yet")
    touching = _git(root, "log", "--format=%H", "-n", "2", "--", ".", problem="git log failed").split()
    return touching[-1] if touching else _git(root, "rev-parse", "HEAD", problem="nothing is committed yet")


def _git(root: Path, *arguments: str, problem: str) -> str:
    answer = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise UsageError(
            f"{root}: {problem}{': ' + answer.stderr.strip() if answer.stderr.strip() else ''}",
            hint="a rehearsal releases a committed version first: commit once, or name a revision with --from",
        )
    return answer.stdout.strip()
