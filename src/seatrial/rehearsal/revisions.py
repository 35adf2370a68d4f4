"""What git says of the project: which version is the old one, and which files are the new one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import UsageError
from seatrial.images.source import read

if TYPE_CHECKING:
    from seatrial.config.models import Settings


def old_revision(root: Path, given: str | None) -> str:
    """Return the commit to release first, as a full id.

    ``given`` if there is one; else HEAD when the project's working tree differs from it; else the last commit before
    HEAD's that touched the project; else HEAD itself (a project of one commit is released over itself). A branch that
    was merged counts as one commit: none of those in between was ever this branch's version.
    Raises :class:`~seatrial.errors.UsageError` when ``root`` is in no repository, has no commit, or lacks ``given``.
    """
    if given is not None:
        return _git(root, "rev-parse", "--verify", "--quiet", f"{given}^{{commit}}", problem=f'no revision "{given}"')
    _git(root, "rev-parse", "--verify", "--quiet", "HEAD", problem="nothing is committed yet")
    if _git(root, "status", "--porcelain", "--", ".", problem="git status failed"):
        return _git(root, "rev-parse", "HEAD", problem="nothing is committed yet")
    history = ("log", "--first-parent", "--format=%H", "-n", "2", "--", ".")
    touching = _git(root, *history, problem="git log failed").split()
    return touching[-1] if touching else _git(root, "rev-parse", "HEAD", problem="nothing is committed yet")


def project_files(root: Path) -> list[Path]:
    """Return the files of the working tree that git knows or would, relative to ``root``; deleted ones left out."""
    listing = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", problem="git ls-files failed")
    return [Path(name) for name in listing.split("\0") if name and os.path.lexists(root / name)]


def text_at(root: Path, revision: str, name: str) -> str | None:
    """Return a file of ``root`` as it was in a revision, None where there was none."""
    answer = subprocess.run(["git", "-C", str(root), "show", f"{revision}:./{name}"], capture_output=True, check=False)
    return answer.stdout.decode(errors="replace") if answer.returncode == 0 else None


def working_tree_version(root: Path, settings: Settings) -> str:
    """Return the version that a release of the working tree would have."""
    return read(root / settings.image.context, None, settings.image.dockerfile).version


def _git(root: Path, *arguments: str, problem: str) -> str:
    answer = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise UsageError(
            f"{root}: {problem}{': ' + answer.stderr.strip() if answer.stderr.strip() else ''}",
            hint="a rehearsal releases a committed version first: commit once, or name a revision with --from",
        )
    return answer.stdout.strip()
