"""Rehearsals of releases that move traffic, by the command, on an emulator of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest

from seatrial.cli import main
from seatrial.emulator.ecs.lifecycle import Stage
from seatrial.errors import UsageError
from seatrial.rehearsal.manner import released_as
from tests.functional.release.support import TOML, git, project

if TYPE_CHECKING:
    from pathlib import Path

#: Scaled by 0.02, a minute takes 1.2 s.
ENVIRONMENTS = """
[smoke.home]
path = "/home"
[rehearsal]
rate = 40
paths = ["/home"]
[secrets]
KEPT = { from = "arn:aws:ssm:eu-west-1:123456789012:parameter/kept" }
[environments.production]
strategy = { type = "canary", percent = 20, interval = "3m", bake = "1m", test_from = ["198.51.100.7/32"] }
[environments.staging]
base = "second"
strategy = { type = "linear", percent = 40, interval = "1m", bake = "1m", test_from = ["198.51.100.7/32"] }
[environments.preview]
base = "third"
domain = "shop.example"
certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/0"
account = "210987654321"
strategy = { type = "blue_green", bake = "1m", test_from = ["198.51.100.7/32"] }
[environments.other]
services.web.routes = ["/a/*", "/b/*", "/c/*", "/d/*", "/e/*", "/f/*"]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose working tree has another version than its last commit, and four environments on AWS."""
    root = tmp_path / "project"
    toml = TOML.format(app="shop") + ENVIRONMENTS
    project(root, "http://127.0.0.1:1", toml)
    mode = "VERSION = '{}'\nWEB = 'ok'\nHOME = 200\nWORKER = 'ok'\nGATE = 'ok'\n"
    (root / "tiny" / "mode.py").write_text(mode.format("one"))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "one")
    (root / "tiny" / "mode.py").write_text(mode.format("two"))
    return root


def rehearsed(
    root: Path, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Rehearse; return the command's answer, the report's data and what was told on the way."""
    words = ("rehearse", *words, "--time-scale", "0.02", "--json", "--config", str(root / "seatrial.toml"))
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert (ended.value.code or 0, answer["ready"]) == (0, True), said.out + said.err
    return answer, json.loads((root / answer["data"]).read_text()), said.err


def test_a_canary_is_rehearsed_as_production_releases_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer, data, _ = rehearsed(root, capsys, "--as", "production")
    assert (answer["as"], answer["strategy"]) == ("production", "canary")
    assert answer["sentence"].endswith(
        "50 times faster than on AWS: the interval of 3 min took 3.6 s, the bake time of 1 min took 1.2 s."
    )
    assert data["circumstances"]["manner"] == "as production: canary (20 % of the requests for 3 min, then all)"
    good, broken = data["timeline"]["releases"]
    assert (good["outcome"], broken["outcome"]) == ("released", "rolled back")
    stages = [each["stage"] for each in good["stages"]]
    assert stages == [each for each in get_args(Stage) if each in stages]
    assert {"POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"} <= set(stages)
    assert [each["percent"] for each in good["shares"]] == [0, 20, 100]
    assert [(each["name"], each["ok"]) for each in good["checks"]] == [("home", True)]
    during, _ = data["timeline"]["windows"]
    old, new = data["timeline"]["versions"][:2]
    assert set(during["answers"]) == {old, new}
    assert broken["checks"] == []
    assert {each["percent"] for each in broken["shares"]} == {0}
    page = (root / answer["report"]).read_text()
    assert page.count("<svg") == 5
    for text in ("PRODUCTION_TRAFFIC_SHIFT 3.", "smoke check home: ok", ">20 %<", "the interval of 3 min took 3.6 s"):
        assert text in page


def test_linear_steps_are_shown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, data, told = rehearsed(root, capsys, "--as", "staging", "--no-fault")
    (release,) = data["timeline"]["releases"]
    shares = [each["percent"] for each in release["shares"]]
    assert (shares[0], shares[-1], shares) == (0, 100, sorted(shares))
    assert set(shares) & {40, 80}
    assert set(shares) <= {0, 40, 80, 100}
    assert "released as staging: linear (40 % more of the requests every 1 min)" in told


def test_an_environment_is_rehearsed_whole_with_stand_ins_for_what_only_aws_has(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer, data, told = rehearsed(root, capsys, "--environment", "preview", "--no-fault", "--verbose")
    assert (answer["as"], answer["strategy"]) == ("preview", "blue_green")
    assert "shop.example has a certificate of the emulator's own" in told
    assert "KEPT: the value means nothing" in told
    assert data["timeline"]["failed"] == 0
    (release,) = data["timeline"]["releases"]
    assert [each["percent"] for each in release["shares"]] == [0, 100]  # all at once


def test_whose_strategy_it_is(root: Path) -> None:
    path = root / "seatrial.toml"

    def found(wanted: str | None, old: str | None, environment: str = "local") -> tuple[str, str]:
        settings, name = released_as(path, environment, wanted, old)
        assert settings.name == environment
        return name, settings.target.strategy.type

    assert found(None, None) == ("local", "rolling")
    assert found(None, "v1.4.2") == ("local", "rolling")
    assert found(None, "production") == ("production", "canary")
    assert found("staging", "production") == ("staging", "linear")
    assert found(None, None, "staging") == ("staging", "linear")
    with pytest.raises(UsageError, match="other cannot be released as preview is: 6 patterns do not fit"):
        found("preview", None, "other")


def test_whoever_rehearses_another_strategy_than_production_is_told(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["rehearse", "--from", "nowhere", "--config", str(root / "seatrial.toml")]
    with pytest.raises(SystemExit):
        main(words)
    told = capsys.readouterr().err
    assert "released as local: rolling" in told
    assert "production is released by canary: rehearse that with --as production" in told
    assert "other is" not in told
