"""Which endpoint and whose account; clients made once."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from seatrial.aws.session import Aws, Client
from seatrial.errors import UsageError
from tests.unit.release.support import TOML, FakeAws, FakeClock, settings_of

if TYPE_CHECKING:
    from pathlib import Path

EMULATOR = TOML.replace("[environments.production]", '[environments.production]\ncloud = "emulator"')


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "SEATRIAL_EMULATOR"):
        monkeypatch.delenv(name, raising=False)


def running(directory: Path, name: str, endpoint: str) -> None:
    file = directory / ".seatrial" / "emulator" / name / "emulator.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"endpoint": endpoint}))


def test_the_emulator_that_runs_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running(tmp_path, "local", "http://127.0.0.1:1")
    running(tmp_path, "second", "http://127.0.0.1:2")
    settings = settings_of(EMULATOR)
    assert Aws.for_environment(settings, tmp_path).endpoint == "http://127.0.0.1:1"
    monkeypatch.setenv("SEATRIAL_EMULATOR", "second")
    assert Aws.for_environment(settings, tmp_path).endpoint == "http://127.0.0.1:2"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:3")
    assert Aws.for_environment(settings, tmp_path).endpoint == "http://127.0.0.1:3"
    assert Aws.for_environment(settings, tmp_path, endpoint="http://127.0.0.1:4").endpoint == "http://127.0.0.1:4"


def test_no_emulator_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Aws.for_environment(settings_of(EMULATOR), tmp_path)
    assert caught.value.hint == "run `seatrial emulator start`"


def test_an_unreadable_state_file_is_named(tmp_path: Path) -> None:
    running(tmp_path, "local", "x")
    (tmp_path / ".seatrial/emulator/local/emulator.json").write_text("{")
    with pytest.raises(UsageError, match=r"emulator\.json cannot be read"):
        Aws.for_environment(settings_of(EMULATOR), tmp_path)


def test_aws_itself_has_no_endpoint(tmp_path: Path) -> None:
    assert Aws.for_environment(settings_of(), tmp_path).endpoint is None


def test_another_account_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Aws, "account", lambda _self: "999999999999")
    text = TOML.replace("[environments.production]", '[environments.production]\naccount = "123456789012"')
    with pytest.raises(UsageError, match="belong to account 999999999999, but environment production"):
        Aws.for_environment(settings_of(text), tmp_path)


def test_clients_are_made_once_whoever_asks() -> None:
    aws = Aws("eu-west-1", endpoint="http://127.0.0.1:9")
    found: list[Client] = []
    threads = [threading.Thread(target=lambda: found.append(aws.client("ssm"))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_the_caller_is_asked_for_once() -> None:
    settings = settings_of()
    aws = FakeAws(settings, FakeClock())
    assert (aws.account(), aws.partition) == ("123456789012", "aws")
    assert aws.caller() == "arn:aws:iam::123456789012:user/someone"
    assert len(aws.called("GetCallerIdentity")) == 1
