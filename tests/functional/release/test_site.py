"""Releases with a site on an emulator: built, published, put back and promoted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import UsageError
from tests.functional.emulator.support import Running, emulator
from tests.functional.release.site_support import SITE, Reader, Served, write_front
from tests.functional.release.support import Place, git, place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

#: A release of the site that is killed when its script is live and its page is not.
KILLED = """
import os, signal, sys
from pathlib import Path
from seatrial import release
from seatrial.aws.session import Aws
from seatrial.config.load import load
from seatrial.publish.bucket import SiteBucket

def serve(bucket, path, file, serves=SiteBucket.serve):
    if path == "index.html":
        os.kill(os.getpid(), signal.SIGKILL)
    serves(bucket, path, file)

SiteBucket.serve = serve
root = Path(sys.argv[1])
settings = load(root / "seatrial.toml", "local")
release.deploy(settings, root, Aws.for_environment(settings, root, endpoint=sys.argv[2]), only="site")
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=0.02) as it:
        yield it


@pytest.fixture(scope="module")
def shop(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return place(tmp_path_factory.mktemp("shop") / "project", running.info.endpoint, "shop", more=SITE)


def test_a_first_release_builds_the_site_and_puts_it_live_after_the_services(shop: Place) -> None:
    shop.commit("one")
    write_front(shop, "one")
    outcome = shop.deploy()
    assert outcome.exit_code == 0, outcome
    kinds = [each.kind for each in outcome.steps]
    assert kinds == [
        "verify", "build", "build_site", "push", "upload_site", "register", "gate", "roll", "publish", "record",
    ]  # fmt: skip
    served = Served(shop)
    assert served.page() == "one"
    assert served.paths == {"index.html", "robots.txt", "config.json", *served.scripts}
    config = json.loads(served.text("config.json"))
    assert config["api"] == shop.url
    assert config["socket"] == shop.url.replace("http", "ws")
    assert config["here"] == f"local {served.live.version}"


def test_a_second_release_writes_what_changed_and_no_page_is_without_its_script(shop: Place) -> None:
    served = Served(shop)
    services, written, script = shop.revisions(), modified(served), served.scripts
    write_front(shop, "two")
    with Reader(served) as reader:
        outcome = shop.deploy(only="site")
    assert outcome.exit_code == 0, outcome
    assert [each.kind for each in outcome.steps] == ["build_site", "upload_site", "publish", "record"]
    assert outcome.steps[2].result == "3 of 4 files written"
    assert (reader.pages[0], served.page()) == ("one", "two")
    assert reader.missing == []
    assert set(script) < set(served.scripts)  # for the tabs that still run version one
    assert modified(served)["robots.txt"] == written["robots.txt"]
    assert shop.revisions() == services
    record = shop.records.serving()
    assert record is not None
    assert (record.site, record.site_version) == (served.live.build, served.live.version)
    assert record.version != record.site_version
    assert shop.deploy(only="site").steps[2].result == f"{record.site[:19]} is live already"


def test_files_of_builds_that_are_not_kept_go_and_a_rollback_brings_them_back(shop: Place) -> None:
    served = Served(shop)
    one = next(path for path in served.scripts if served.text(path) == "console.log('one')\n")
    write_front(shop, "three")
    assert shop.deploy(only="site").exit_code == 0
    assert one not in served.scripts  # seatrial.toml keeps two
    outcome = shop.rollback(to=1)
    assert outcome.exit_code == 0, outcome
    kinds = [each.kind for each in outcome.steps]
    assert kinds.index("publish") < kinds.index("roll")
    assert served.page() == "one"
    assert one in served.scripts
    status = shop.status()
    assert status.site is not None
    assert (status.site.build, status.drifted) == (served.live.build, ())


def test_a_build_that_is_gone_is_not_gone_back_to(shop: Place) -> None:
    served = Served(shop)
    gone = shop.records.get(2)
    assert gone is not None
    before = served.page()
    manifest = served.bucket.manifest(gone.site)
    assert manifest is not None
    only_here = manifest.files["index.html"].sha256
    served.s3.delete(served.name, f"blobs/{only_here}")
    with pytest.raises(UsageError, match=r"lacks 1 of its 3 files"):
        shop.rollback(to=2)
    assert served.page() == before


def test_a_site_that_does_not_build_changes_nothing(shop: Place) -> None:
    served = Served(shop)
    before, services = served.page(), shop.revisions()
    write_front(shop, "broken", build="echo compiling\nbundle-it-all\n")
    outcome = shop.deploy()
    assert (outcome.exit_code, outcome.failed) == (1, f"build the site {head(shop)}")
    assert "exit code 127" in outcome.message
    assert outcome.hint is not None
    assert "PATH" in outcome.hint
    assert any("bundle-it-all" in line for line in outcome.details), outcome
    assert (served.page(), shop.revisions()) == (before, services)


def test_a_release_that_is_killed_while_it_publishes_is_completed_by_the_next(shop: Place) -> None:
    served = Served(shop)
    write_front(shop, "five")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(shop.root), str(shop.aws.endpoint)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert served.bucket.begun()
    assert "has not come to its end" in " ".join(shop.status().drifted)
    with Reader(served) as reader:
        assert shop.deploy(only="site", take_over=True).exit_code == 0
    assert reader.missing == []
    assert served.page() == "five"
    assert shop.status().drifted == ()


def modified(served: Served) -> dict[str, datetime]:
    """Return when each file that is served was written last."""
    return {each.key.removeprefix("live/"): each.modified for each in served.s3.objects(served.name, "live/")}


def head(shop: Place) -> str:
    return git(shop.root, "rev-parse", "HEAD")[:12]
