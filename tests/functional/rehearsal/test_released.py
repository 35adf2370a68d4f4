"""What an environment runs, read from its release record on a real emulator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from seatrial.aws.session import Aws
from seatrial.aws.ssm import Ssm
from seatrial.config.load import load
from seatrial.emulator import process as emulators
from seatrial.errors import UsageError
from seatrial.rehearsal.released import old_version
from seatrial.release.record import Record, Records
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.config.models import Settings

TOML = """
[app]
name = "shop"
settings = "shop.settings"
[services.web]
command = ["gunicorn", "shop.wsgi"]
port = 8000
routes = ["/*"]
[environments.local]
cloud = "emulator"
[environments.other]
cloud = "emulator"
[environments.production]
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a running emulator."""
    project = tmp_path_factory.mktemp("project")
    (project / "seatrial.toml").write_text(TOML)
    emulators.start("local", project, runtime="process", proxy="builtin")
    yield project / "seatrial.toml"
    emulators.stop("local", project)


def released(path: Path, environment: str, version: str, ending: str) -> Settings:
    settings = load(path, environment)
    records = Records(Ssm(Aws.for_environment(settings, path.parent)), names.release_prefix(settings))
    record = records.open(Record(0, version, "sha256:1", {}, "me", datetime.now(UTC)))
    records.close(record.ended(ending, 1.0, ""))  # type: ignore[arg-type]  # the caller's word
    return settings


def test_what_the_running_emulator_released_last_is_the_old_version(path: Path) -> None:
    settings = load(path, "local")
    assert old_version(path, settings, None)[0] is None
    released(path, "local", "0123456789ab", "released")
    released(path, "local", "ba9876543210-cafecafecafe", "released")
    released(path, "local", "ffffffffffff", "rolled_back")
    commit, why = old_version(path, settings, None)
    assert commit == "ba9876543210"
    assert why == "release 2 of local is ba9876543210-cafecafecafe"


def test_an_environment_is_asked_by_its_name(path: Path) -> None:
    settings = load(path, "local")
    with pytest.raises(UsageError, match="other has no release yet"):
        old_version(path, settings, "other")
    released(path, "other", "abcdefabcdef", "released")
    assert old_version(path, settings, "other")[0] == "abcdefabcdef"


def test_anything_else_is_a_revision(path: Path) -> None:
    assert old_version(path, load(path, "local"), "v1.4.2")[0] == "v1.4.2"


def test_an_environment_on_aws_is_only_asked_when_it_is_named(path: Path) -> None:
    assert old_version(path, load(path, "production"), None)[0] is None
