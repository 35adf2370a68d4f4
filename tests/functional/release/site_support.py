"""A front end whose build is a line of shell, and what its bucket says."""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Self

from seatrial.aws.s3 import S3
from seatrial.aws.session import Aws
from seatrial.publish.bucket import SiteBucket
from seatrial.release.facts import app_stack
from tests.functional.release.support import git

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.publish.live import Live
    from tests.functional.release.support import Place

#: Hashes the one script into its name, as bundlers do.
SITE = """\
[site]
source = "front"
build = "sh build.sh"
keep = 2
config = { api = "{service_url}", socket = "{websocket_url}", here = "{environment} {version}" }
"""

BUILD = """\
set -e
mkdir -p dist/assets
hash=$(sha256sum app.js | cut -c1-12)
cp app.js dist/assets/app-$hash.js
sed "s/HASH/$hash/" index.html > dist/index.html
cp robots.txt dist/
echo "built $hash"
"""


def write_front(place: Place, version: str, *, build: str = BUILD) -> None:
    """Commit a front end whose page and script say a version."""
    write_files(place.root, version, build)
    git(place.root, "add", "-A")
    git(place.root, "commit", "-q", "-m", f"front end {version}")


def write_files(root: Path, version: str, build: str = BUILD) -> None:
    """Write that front end below ``root``."""
    front = root / "front"
    front.mkdir(exist_ok=True)
    (front / "build.sh").write_text(build)
    (front / "app.js").write_text(f"console.log({version!r})\n")
    (front / "index.html").write_text(f'<!doctype html><script src="/assets/app-HASH.js"></script>{version}\n')
    (front / "robots.txt").write_text("User-agent: *\n")


class Served:
    """What CloudFront serves, and what the bucket behind it has."""

    def __init__(self, place: Place) -> None:
        owner = Aws(place.aws.region, endpoint=place.aws.endpoint)  # whoever it is that releases
        site = app_stack(place.settings, owner).site
        assert site is not None
        self.url, self.name = site.url, site.bucket
        self.s3 = S3(owner)
        self.bucket = SiteBucket(owner, self.name)

    def text(self, path: str) -> str:
        """Return a file as a browser gets it. Raises ``HTTPError`` where there is none."""
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=10) as answer:
            return str(answer.read().decode())

    @property
    def paths(self) -> set[str]:
        return set(self.bucket.served())

    @property
    def scripts(self) -> list[str]:
        return sorted(path for path in self.paths if path.startswith("assets/"))

    @property
    def live(self) -> Live:
        live = self.bucket.live()
        assert live is not None
        return live

    def page(self) -> str:
        """Return the version that the page says."""
        return self.text("").rpartition(">")[2].strip()


class Reader:
    """Loads the page and all that it names, again and again, and keeps what was not there."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.pages: list[str] = []
        self.missing: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            page = self.served.text("")
            self.pages.append(page.rpartition(">")[2].strip())
            for script in re.findall(r'src="/([^"]+)"', page):
                try:
                    self.served.text(script)
                except urllib.error.HTTPError:
                    self.missing.append(f"{self.pages[-1]}: {script}")
