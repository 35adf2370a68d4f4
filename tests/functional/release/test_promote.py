"""``seatrial promote`` on an emulator: two environments of one project, one image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import main
from tests.functional.emulator.support import emulator
from tests.functional.release.site_support import SITE, Served, write_front
from tests.functional.release.support import environment, place

if TYPE_CHECKING:
    from pathlib import Path


def test_what_staging_runs_is_released_to_production(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulator(tmp_path / "emulator", time_scale=0.02) as running:
        endpoint = running.info.endpoint
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        more = SITE + '[environments.production]\ncloud = "emulator"\n'
        staging = place(tmp_path / "shop", endpoint, "shop", more=more)
        production = environment(staging.root, endpoint, "production")
        staging.commit("tried")
        write_front(staging, "tried")
        assert staging.deploy().exit_code == 0
        staging.commit("not tried")
        write_front(staging, "not tried")

        promote = ["promote", "local", "production", "--json", "--config", str(staging.root / "seatrial.toml")]
        main_(promote, 0)
        printed = capsys.readouterr()
        outcome = json.loads(printed.out)
        serving = staging.records.serving()
        assert serving is not None
        assert (outcome["result"], outcome["digest"]) == ("released", serving.digest)
        assert {"build", "build_site"} & {each["kind"] for each in outcome["steps"]} == set()
        assert "from local: its release 1" in printed.err
        assert production.answer() == "tried"

        here, there = Served(staging), Served(production)
        assert (there.page(), there.live.build) == ("tried", here.live.build)
        assert json.loads(here.text("config.json"))["api"] == staging.url
        assert json.loads(there.text("config.json"))["api"] == production.url
        page = here.bucket.files(here.live)["index.html"]
        here.s3.delete(here.name, f"blobs/{page.sha256}")
        main_(promote, 2)
        assert "lacks 1 of its 3 files" in json.loads(capsys.readouterr().out)["error"]["message"]

        ecr = staging.aws.client("ecr")
        ecr.batch_delete_image(repositoryName="shop", imageIds=[{"imageDigest": serving.digest}])
        main_(promote, 2)
        assert "any more" in json.loads(capsys.readouterr().out)["error"]["message"]


def main_(arguments: list[str], code: int) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert (end.value.code or 0) == code
