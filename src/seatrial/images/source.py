"""The files of one version of the project: of a git revision, or of the working tree as git sees it.

Files are content and an executable bit; owners, dates and other permissions are dropped, so the same files make the
same archive on every machine. Only what git tracks (or would, in a working tree: untracked and not ignored) takes
part, less what ``.dockerignore`` keeps out.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import UsageError
from seatrial.images.ignore import Ignore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHORT = 12


@dataclass(frozen=True)
class File:
    """A file, or a symbolic link (``link`` is where it points)."""

    content: bytes = b""
    executable: bool = False
    link: str | None = None


@dataclass(frozen=True)
class Source:
    """``files`` by path relative to the context, with ``/``, sorted. ``version`` is a valid image tag.

    ``version`` is the commit's first twelve digits; files that are not as committed add a hash of their own.
    """

    version: str
    files: Mapping[str, File]

    def text(self, path: str) -> str | None:
        """Return a file's text, or None where there is no such file."""
        file = self.files.get(path)
        return None if file is None else file.content.decode(errors="replace")


def read(context: Path, revision: str | None, dockerfile: str | None = "Dockerfile") -> Source:
    """Read the files below ``context`` as of ``revision``; None is the working tree.

    Without a ``dockerfile`` it is no build context, and ``.dockerignore`` keeps nothing out. Raises
    :class:`UsageError` outside of a git repository and for an unknown revision.
    """
    context = context.resolve()
    if not context.is_dir():
        raise UsageError(f"{context}: no such directory", hint="image.context or site.source names what is built")
    top = Path(_git(context, "rev-parse", "--show-toplevel").decode().strip())
    prefix = context.relative_to(top).as_posix()
    commit = _commit(context, revision or "HEAD")
    changed = revision is None and (
        commit is None or bool(_git(context, "status", "--porcelain", "--untracked-files=all", "--", "."))
    )
    if commit is None or changed:
        files = _without_ignored(_working_tree(context), dockerfile)
        mark = hashlib.sha256(tar(files)).hexdigest()[:_SHORT]
        return Source(mark if commit is None else f"{commit[:_SHORT]}-{mark}", files)
    tree = f"{commit}:{'' if prefix == '.' else prefix}"
    archive = _git(top, "archive", "--format=tar", tree)
    return Source(commit[:_SHORT], _without_ignored(_archived(archive), dockerfile))


def tar(files: Mapping[str, File], extra: Iterable[tuple[str, bytes]] = ()) -> bytes:
    """Return an archive of the files, the same bytes for the same files. ``extra`` are further plain files."""
    everything = dict(files) | {path: File(content) for path, content in extra}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for directory in sorted({parent for path in everything for parent in _parents(path)}):
            info = tarfile.TarInfo(directory)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(info)
        for path, file in sorted(everything.items()):
            info = tarfile.TarInfo(path)
            info.mode = 0o755 if file.executable else 0o644
            if file.link is not None:
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, file.link, 0o777
            info.size = len(file.content)
            archive.addfile(info, io.BytesIO(file.content))
    return buffer.getvalue()


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _commit(context: Path, revision: str) -> str | None:
    """Return the full hash; None for HEAD of a repository without a commit."""
    try:
        full = _git(context, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except UsageError:
        if revision == "HEAD":
            return None
        raise UsageError(f"git knows no revision {revision!r}", hint="give a commit, a branch or a tag") from None
    return full.decode().strip()


def _working_tree(context: Path) -> dict[str, File]:
    listing = _git(context, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    files = {}
    for name in listing.decode(errors="surrogateescape").split("\0"):
        path = context / name
        if not name or not os.path.lexists(path):  # deleted, and not yet committed so
            continue
        if path.is_symlink():
            files[name] = File(link=str(path.readlink()))
        elif path.is_file():
            files[name] = File(path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))
    return files


def _archived(content: bytes) -> dict[str, File]:
    files = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            if member.issym():
                files[member.name] = File(link=member.linkname)
            elif member.isfile():
                stream = archive.extractfile(member)
                assert stream is not None
                files[member.name] = File(stream.read(), executable=bool(member.mode & 0o100))
    return files


def _without_ignored(files: dict[str, File], dockerfile: str | None) -> dict[str, File]:
    """Leave out what Docker would. A file beside the Dockerfile with its name goes before ``.dockerignore``.

    Docker lets the Dockerfile itself through even where it is ignored, so that it can be read.
    """
    if dockerfile is None:
        return dict(sorted(files.items()))
    own = files.get(f"{dockerfile}.dockerignore") or files.get(".dockerignore")
    ignore = Ignore(own.content.decode(errors="replace") if own else "")
    kept = (path for path in files if path == dockerfile or not ignore.excludes(path))
    return {path: files[path] for path in sorted(kept)}


def _git(directory: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise UsageError("git is not installed", hint="seatrial reads what it releases from git") from error
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(
            f"git {arguments[0]} failed in {directory}: {reason[-1] if reason else f'exit code {done.returncode}'}",
            hint="seatrial releases what git tracks: is this a git repository?",
        )
    return done.stdout
