"""``seatrial synth`` on a directory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import main

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
[app]
name = "shop"
settings = "shop.settings"

[services.web]
command = ["gunicorn", "shop.wsgi"]
port = 8000
routes = ["/*"]

[database]

[environments.staging]
[environments.production]
database.instance = "db.t4g.small"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "seatrial.toml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def synth(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["synth", *arguments])
    return int(end.value.code or 0)


def test_writes_every_environment_and_then_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synth() == 0
    assert "added infra/cloudformation/production/app/services.yaml" in capsys.readouterr().out
    assert "db.t4g.small" in (project / "infra/cloudformation/production/base/data.yaml").read_text()
    assert "db.t4g.micro" in (project / "infra/cloudformation/staging/base/data.yaml").read_text()
    (project / "seatrial.toml").write_text(FILE + '\n[smoke.home]\npath = "/"\n')
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*.yaml")}
    assert synth() == 0
    printed = capsys.readouterr()
    assert "up to date" in printed.out
    assert "note: staging: [smoke] is not asked" in printed.err
    assert before == {path: path.stat().st_mtime_ns for path in project.rglob("*.yaml")}


def test_check_writes_nothing_and_says_so_by_its_exit_code(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synth("-e", "production", "--check") == 1
    assert not (project / "infra").exists()
    assert synth("-e", "production") == 0
    assert synth("-e", "production", "--check") == 0
    (project / "infra/cloudformation/production/app/app.yaml").write_text("changed: by hand\n")
    capsys.readouterr()
    assert synth("-e", "production", "--check", "--json") == 1
    assert json.loads(capsys.readouterr().out) == {
        "added": [],
        "changed": ["infra/cloudformation/production/app/app.yaml"],
        "removed": [],
        "written": False,
    }


def test_what_is_not_wanted_any_more_is_removed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synth("-e", "production")
    own = project / "infra/cloudformation/production/base/README.md"
    own.write_text("a team's own file stays\n")
    (project / "seatrial.toml").write_text(FILE.replace("[database]\n", "").replace("database.instance", "# "))
    capsys.readouterr()
    assert synth("-e", "production") == 0
    assert "removed infra/cloudformation/production/base/data.yaml" in capsys.readouterr().out
    assert not (project / "infra/cloudformation/production/base/data.yaml").exists()
    assert own.exists()


def test_elsewhere(project: Path) -> None:
    assert synth("-e", "staging", "--output", "deploy") == 0
    assert (project / "deploy/cloudformation/staging/base/base.yaml").exists()


def test_an_environment_that_there_is_not(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synth("-e", "nowhere") == 2
    assert 'there is no environment "nowhere"' in capsys.readouterr().err
