"""A container engine for the tests: the one of DOCKER_HOST or this machine's Docker, else a Podman of our own."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import docker.errors

from tests.functional.emulator.runtime.support import until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
BASE_TAR = ROOT / ".cache" / "base-bookworm-python3.tar"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
BASE = "localhost/seatrial-test-base:latest"


@contextlib.contextmanager
def engine() -> Iterator[str]:
    """Yield the URL of an engine's socket; what was started here is ended here."""
    script = subprocess.Popen(
        [ROOT / "scripts" / "container-engine", "--foreground"], stdout=subprocess.PIPE, text=True
    )
    assert script.stdout is not None
    url = script.stdout.readline().strip()
    try:
        until(lambda: Path(url.removeprefix("unix://")).exists() or script.poll(), "the engine's socket")
        assert url, "scripts/container-engine found no container engine"
        yield url
    finally:
        script.terminate()
        script.wait()
        script.stdout.close()


def base_image(api: Any) -> str:
    """Return the name of a Debian with Python, which is made from Debian's packages once and kept in .cache."""
    with contextlib.suppress(docker.errors.ImageNotFound):
        api.inspect_image(BASE)
        return BASE
    BASE_TAR.parent.mkdir(exist_ok=True)
    with BASE_TAR.with_suffix(".lock").open("a") as lock:  # tests run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make_base()
    with BASE_TAR.open("rb") as file:
        api.import_image_from_data(file, repository=BASE.removesuffix(":latest"))
    return BASE


def _make_base() -> None:
    if not BASE_TAR.exists():
        part = BASE_TAR.with_suffix(".part.tar")
        packages = "--include=python3,python3-venv,ca-certificates"
        # Builds install packages as this machine does, so they trust whom it trusts.
        trust = f"--customize-hook=copy-in {AUTHORITIES} {AUTHORITIES.parent}"
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", packages, trust, "bookworm", part], check=True)
        part.rename(BASE_TAR)
