"""The rehearsal as a newcomer runs it: one command, a verdict, a report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.stage import copy_example, git

SEATRIAL = Path(sys.executable).parent / "seatrial"


@pytest.mark.timeout(300)
def test_a_good_release_is_ready_and_a_broken_one_is_rolled_back(tmp_path: Path) -> None:
    project = tmp_path / "project"
    copy_example(project)
    (project / "note.txt").write_text("the new version\n")
    done = rehearse(project, "--rate", "60", "--json")
    answer = json.loads(done.stdout)
    assert answer["ready"], done.stdout + done.stderr
    assert done.returncode == 0
    assert answer["sentence"].startswith("Ready: ")
    page, data = Path(answer["report"]), json.loads(Path(answer["data"]).read_text())
    assert page.read_text().count("<svg") == 4
    good, broken = data["timeline"]["releases"]
    assert (good["outcome"], broken["outcome"]) == ("released", "rolled back")
    assert "broken on purpose" in broken["cause"]
    assert data["timeline"]["failed"] == 0
    assert len(data["timeline"]["versions"]) == 3
    assert git(project, "status", "--porcelain") == "?? note.txt"
    assert processes_below(project) == []


def test_a_release_that_cannot_start_is_not_ready(tmp_path: Path) -> None:
    project = tmp_path / "project"
    copy_example(project)
    with (project / "stockweb" / "wsgi.py").open("a") as module:
        module.write("\n\nraise RuntimeError('a real mistake')\n")
    done = rehearse(project, "--rate", "60")
    assert done.returncode == 1
    assert "Not ready: the release" in done.stdout
    assert "a real mistake" in done.stdout
    assert processes_below(project) == []


def test_what_is_wrong_beforehand_starts_nothing(tmp_path: Path) -> None:
    project = tmp_path / "project"
    copy_example(project)
    done = rehearse(project, "--from", "v9")
    assert done.returncode == 2
    assert 'no revision "v9"' in done.stderr
    assert {path.name for path in (project / ".seatrial").iterdir()} == {".gitignore", "sites"}  # as it was copied


def rehearse(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(SEATRIAL), "rehearse", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def processes_below(directory: Path) -> list[str]:
    """Return the command lines of processes whose command names something below the directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(directory) in line:
            found.append(line)
    return found
