"""A rehearsal of a release whose seatrial.toml has changed: the old version is set up by its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import main
from seatrial.config.load import load
from seatrial.rehearsal.before import before
from seatrial.rehearsal.revisions import old_revision
from tests.functional.release.site_support import SITE, write_files
from tests.functional.release.support import TOML, git, project

if TYPE_CHECKING:
    from pathlib import Path

REHEARSAL = '[rehearsal]\nrate = 40\npaths = ["/home"]\nsetup = ["fill"]\n'
FILL = '[tasks.fill]\ncommand = ["python", "-m", "tiny.fill"]\n'
MAILER = '[services.mailer]\nrole = "worker"\ncommand = ["python", "-m", "tiny.mailer"]\nstop_timeout = "5s"\n'
MODE = "VERSION = '{}'\nWEB = 'ok'\nHOME = 200\nWORKER = 'ok'\nGATE = 'ok'\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one commit."""
    root = tmp_path / "project"
    project(root, "http://127.0.0.1:1", TOML.format(app="shop") + "[rehearsal]\nrate = 40\npaths = ['/home']\n")
    (root / "tiny" / "mode.py").write_text(MODE.format("one"))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "one")
    return root


def test_what_came_with_the_new_version_is_nothing_of_the_old_one(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The old code could run neither the service nor the task, and has no front end to build."""
    without_worker = TOML.format(app="shop").replace("[services.worker]", MAILER + "[services.gone]", 1)
    kept, _, rest = without_worker.partition("[services.gone]")
    (root / "seatrial.toml").write_text(kept + rest[rest.index("[tasks.migrate]") :] + REHEARSAL + FILL + SITE)
    (root / "tiny" / "mailer.py").write_text((root / "tiny" / "worker.py").read_text())
    (root / "tiny" / "fill.py").write_text("")
    (root / "tiny" / "mode.py").write_text(MODE.format("two"))
    write_files(root, "two")
    with pytest.raises(SystemExit) as ended:
        main(["rehearse", "--verbose", "--time-scale", "0.02", "--json", "--config", str(root / "seatrial.toml")])
    said = capsys.readouterr()
    assert not ended.value.code, said.out + said.err
    assert json.loads(said.out)["ready"], said.err
    old, _, new = said.err.partition("changing the infrastructure, since seatrial.toml has changed")
    assert "fill is not run: the old version has no such task" in old
    assert ("mailer" in old, "worker: " in old, "publish" in old) == (False, True, False)
    assert "on AWS `infra apply` removes WorkerService after the release, or at once by --replace WorkerService" in new
    assert "roll out mailer" in new
    assert "publish the site" in new


@pytest.mark.parametrize(
    ("old", "why"),
    [
        (None, "has no seatrial.toml"),
        ("[app", "is not valid TOML"),
        (
            '[app]\nname = "other"\nsettings = "tiny.settings"\n[services.it]\nrole = "worker"\ncommand = ["it"]\n',
            "is of another [app]",
        ),
    ],
)
def test_todays_file_stands_in(root: Path, old: str | None, why: str) -> None:
    today = (root / "seatrial.toml").read_text()
    (root / "seatrial.toml").write_text(old or "")
    if old is None:
        (root / "seatrial.toml").unlink()
    git(root, "commit", "-q", "-a", "-m", "as it was")
    (root / "seatrial.toml").write_text(today)
    now = load(root / "seatrial.toml", "local")
    was = before(root / "seatrial.toml", old_revision(root, "HEAD"), now)
    assert was.settings == now
    assert was.why is not None
    assert why in was.why
    assert was.why.endswith("the old version is set up by today's")


def test_the_manner_of_releasing_is_todays(root: Path) -> None:
    with (root / "seatrial.toml").open("a") as file:
        file.write('[smoke.home]\npath = "/home"\n')
    text = (root / "seatrial.toml").read_text()
    (root / "seatrial.toml").write_text(
        text.replace('cloud = "emulator"', 'cloud = "emulator"\nstrategy = { type = "blue_green" }')
    )
    now = load(root / "seatrial.toml", "local")
    assert before(root / "seatrial.toml", old_revision(root, None), now).settings == now
