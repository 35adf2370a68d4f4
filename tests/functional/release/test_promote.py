"""``seatrial promote`` on an emulator: two environments of one project, one image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import main
from tests.functional.emulator.support import emulator
from tests.functional.release.support import environment, place

if TYPE_CHECKING:
    from pathlib import Path


def test_what_staging_runs_is_released_to_production(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulator(tmp_path / "emulator", time_scale=0.02) as running:
        endpoint = running.info.endpoint
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        staging = place(tmp_path / "shop", endpoint, "shop", more='[environments.production]\ncloud = "emulator"\n')
        production = environment(staging.root, endpoint, "production")
        staging.commit("tried")
        assert staging.deploy().exit_code == 0
        staging.commit("not tried")

        promote = ["promote", "local", "production", "--json", "--config", str(staging.root / "seatrial.toml")]
        main_(promote, 0)
        printed = capsys.readouterr()
        outcome = json.loads(printed.out)
        serving = staging.records.serving()
        assert serving is not None
        assert (outcome["result"], outcome["digest"]) == ("released", serving.digest)
        assert "build" not in [each["kind"] for each in outcome["steps"]]
        assert "from local: its release 1" in printed.err
        assert production.answer() == "tried"

        ecr = staging.aws.client("ecr")
        ecr.batch_delete_image(repositoryName="shop", imageIds=[{"imageDigest": serving.digest}])
        main_(promote, 2)
        assert "any more" in json.loads(capsys.readouterr().out)["error"]["message"]


def main_(arguments: list[str], code: int) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert (end.value.code or 0) == code
