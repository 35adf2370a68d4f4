"""Running ``site.build`` on the files of one git revision, and taking what it leaves.

The front end's folder is exported to a directory of its own, so that nothing on this machine that git does not know
becomes part of a release. What was built is kept in ``.seatrial/sites`` by a hash of the files and the settings: the
same front end is not built twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import ReleaseFailed
from seatrial.images import source as source_
from seatrial.publish.changes import INDEX
from seatrial.publish.manifest import Manifest, described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seatrial.config.site import Site

#: Lines of a failed build that are shown.
_LAST_LINES = 30
#: Seconds after which a build is stuck: as for an image.
_SECONDS = 3600.0
#: Builds that are kept on this machine.
_KEPT = 5

#: What a build gets of this process's environment. No AWS credentials: a front end and its packages need none.
_PASSED = frozenset({
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy",
    "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NPM_TOKEN",
    "NODE_AUTH_TOKEN",
})  # fmt: skip
#: What package and version managers are set up by.
_PASSED_BEGINNINGS = ("npm_config_", "NPM_CONFIG_", "YARN_", "PNPM_", "COREPACK_", "NVM_", "VOLTA_", "FNM_")


@dataclass(frozen=True)
class BuiltSite:
    """What a build left: the files of ``manifest``, below ``folder``. ``fresh`` is False for one that was kept."""

    version: str
    manifest: Manifest
    folder: Path
    fresh: bool


def version(site: Site, root: Path, revision: str | None) -> str:
    """Return the version of the front end: the commit, and a hash of the files where they are not as committed."""
    return source_.read(root / site.source, revision, None).version


def build(site: Site, root: Path, revision: str | None, progress: Callable[[str], None]) -> BuiltSite:
    """Build the front end of the project in ``root`` (where ``seatrial.toml`` is) as of a git revision.

    ``revision`` None is the working tree. ``progress`` gets the build's output, line by line. Raises
    :class:`~seatrial.errors.UsageError` where git cannot tell the files, and
    :class:`~seatrial.errors.ReleaseFailed` where the build fails or leaves what cannot be served.
    """
    source = source_.read(root / site.source, revision, None)
    kept = _kept(root)
    folder = kept / _key(source, site)
    fresh = not folder.is_dir()
    if fresh:
        with tempfile.TemporaryDirectory(prefix="seatrial-site-") as place:
            _export(source, Path(place))
            _run(site, Path(place), progress)
            _check(site, Path(place) / site.output)
            _keep(Path(place) / site.output, folder)
    os.utime(folder)
    _forget(kept)
    return BuiltSite(source.version, described(_contents(folder), site), folder, fresh)


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a build gets. ``CI`` keeps tools from asking questions and from watching files."""
    passed = {
        name: value for name, value in environment.items() if name in _PASSED or name.startswith(_PASSED_BEGINNINGS)
    }
    return {**passed, "CI": "true"}


def _kept(root: Path) -> Path:
    """Return where builds are kept, and see that git does not: a release must not make the working tree differ."""
    own = root / ".seatrial"
    (own / "sites").mkdir(parents=True, exist_ok=True)
    if not (own / ".gitignore").exists():
        (own / ".gitignore").write_text("*\n", encoding="utf-8")
    return own / "sites"


def _key(source: source_.Source, site: Site) -> str:
    digest = hashlib.sha256(source_.tar(source.files))
    digest.update(f"{site.build}\0{site.output}\0{site.fallback}".encode())
    return digest.hexdigest()[:32]


def _export(source: source_.Source, place: Path) -> None:
    for path, file in source.files.items():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.link is not None:
            target.symlink_to(file.link)
        else:
            target.write_bytes(file.content)
            target.chmod(0o755 if file.executable else 0o644)


def _run(site: Site, place: Path, progress: Callable[[str], None]) -> None:
    """Run the command, which ends with all that it started."""
    process = subprocess.Popen(
        ["sh", "-c", site.build], cwd=place, env=clean_environment(os.environ), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, text=True, errors="replace",
    )  # fmt: skip
    overdue = threading.Timer(_SECONDS, _end, (process,))
    overdue.daemon = True
    overdue.start()

    def reap() -> None:
        """End what the command left running: it would keep the pipe open."""
        process.wait()
        _end(process)

    ending = threading.Thread(target=reap, daemon=True)
    ending.start()
    last: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        assert process.stdout is not None
        with process.stdout as output:
            for line in filter(str.strip, output):
                last.append(line.rstrip())
                progress(line.rstrip())
        code = process.wait()
    finally:
        overdue.cancel()
        if process.poll() is None:
            _end(process)
        ending.join()
    if code != 0:
        raise ReleaseFailed(_why(site, code), hint=_hint(code), details=tuple(last))


def _why(site: Site, code: int) -> str:
    how = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    return f"the site does not build: `{site.build}` in {site.source}: {how}"


def _hint(code: int) -> str | None:
    if code == 127:
        return "the shell did not find a command: install it where releases are made, and have it on PATH"
    if code == 126:
        return "the shell may not run a command: is the file executable in git?"
    return None


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _check(site: Site, output: Path) -> None:
    """Raise :class:`~seatrial.errors.ReleaseFailed` where what the build left cannot be served."""
    where = f'site.output "{site.output}"'
    if not output.is_dir() or output.is_symlink():
        raise ReleaseFailed(
            f"{where}: `{site.build}` left no such folder in {site.source}",
            hint="site.output names the folder, below site.source, that the build writes",
        )
    if not any(path.is_file() for path in output.rglob("*")):
        raise ReleaseFailed(f"{where} is empty after `{site.build}`")
    for name, key in ((INDEX, "the page of /"), (site.fallback, "site.fallback")):
        if name and not (output / name).is_file():
            raise ReleaseFailed(f"{where} has no {name} ({key}) after `{site.build}`")
    inside = output.resolve()
    for path in sorted(output.rglob("*")):
        if path.is_symlink() and not (path.is_file() and path.resolve().is_relative_to(inside)):
            raise ReleaseFailed(
                f"{where}: {path.relative_to(output)} is a symbolic link to {path.readlink()}, "
                "and only links to files of the folder itself can be published"
            )


def _keep(output: Path, folder: Path) -> None:
    """Move what was built to its place, at once and as a whole; somebody else may have built the same meanwhile."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as beside:
        shutil.copytree(output, Path(beside) / "output")
        try:
            (Path(beside) / "output").rename(folder)
        except OSError:
            if not folder.is_dir():
                raise


def _forget(kept: Path) -> None:
    found = sorted((path for path in kept.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for old in found[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _contents(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Yield path, digest and size of every file."""
    for path in folder.rglob("*"):
        if path.is_file():
            body = path.read_bytes()
            yield path.relative_to(folder).as_posix(), hashlib.sha256(body).hexdigest(), len(body)
