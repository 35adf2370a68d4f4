"""Python environments made for real, from a wheel that needs no network."""

from __future__ import annotations

import subprocess
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest

from seatrial.emulator.runtime import ImageError, environments
from seatrial.emulator.runtime.environments import Environments

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    with zipfile.ZipFile(place / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "VALUE = 42\n")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/entry_points.txt", "[console_scripts]\ntiny = tiny:main\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    path = place / "requirements.txt"
    path.write_text("./tiny-1.0-py3-none-any.whl\n")
    return path


def value(home: Path) -> str:
    done = subprocess.run(
        [home / "bin" / "python", "-c", "import tiny; print(tiny.VALUE)"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_requirements_are_installed_once(
    tmp_path: Path, requirements: Path, installer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if installer == "pip":
        monkeypatch.setattr(environments, "_uv", lambda: None)
    cache = Environments(tmp_path / "environments")
    home = cache.ready(requirements, "one")
    assert value(home) == "42"
    # In the first line, or in the third where the path is too long for a first line (both installers do so).
    assert f"{home}/bin/python" in "".join((home / "bin" / "tiny").read_text().splitlines()[:3])
    requirements.unlink()  # so that a second installation would fail
    assert cache.ready(requirements, "one") == home
    assert Environments(tmp_path / "environments").ready(requirements, "one") == home


def test_other_requirements_have_an_environment_of_their_own(tmp_path: Path, requirements: Path) -> None:
    cache = Environments(tmp_path / "environments")
    assert cache.ready(None, "") != cache.ready(requirements, "one")


def test_two_at_once_make_one(tmp_path: Path, requirements: Path) -> None:
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(Environments(tmp_path / "e").ready(requirements, "one")))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    assert value(found[0]) == "42"


def test_a_failed_installation_tells_why_and_is_tried_again(tmp_path: Path, requirements: Path) -> None:
    good = requirements.read_text()
    requirements.write_text("./absent-1.0-py3-none-any.whl\n")
    cache = Environments(tmp_path / "environments")
    with pytest.raises(
        ImageError, match=r"(?s)CannotPullContainerError: the Python environment cannot be made:.*absent"
    ):
        cache.ready(requirements, "one")
    requirements.write_text(good)
    assert value(cache.ready(requirements, "one")) == "42"


def test_a_half_made_environment_is_made_anew(tmp_path: Path, requirements: Path) -> None:
    cache = Environments(tmp_path / "environments")
    home = cache.ready(requirements, "one")
    (home / ".seatrial-ready").unlink()
    (home / "left-over").touch()
    assert cache.ready(requirements, "one") == home
    assert not (home / "left-over").exists()
