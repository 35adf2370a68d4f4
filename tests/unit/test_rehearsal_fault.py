"""Breaking a copy of the project on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.config.load import loads
from seatrial.errors import UsageError
from seatrial.rehearsal.fault import MESSAGE, broken_copy, entry_module

CONFIG = """\
[app]
name = "shop"
settings = "shop.settings"

[services.web]
command = ["gunicorn", "--bind", "0.0.0.0:8000", {module}]
port = 8000
routes = ["/*"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "wsgi.py").write_text("application = None\n")
    (root / "shop" / "settings.py").write_text("")
    return root


@pytest.mark.parametrize("module", ["'shop.wsgi'", "'shop.wsgi:application'"])
def test_the_copy_is_broken_and_the_project_is_not(project: Path, tmp_path: Path, module: str) -> None:
    settings = loads(CONFIG.replace("{module}", module), "local")
    files = [Path("shop/wsgi.py"), Path("shop/settings.py")]
    copy = broken_copy(settings, project, files, tmp_path / "copy")
    with pytest.raises(RuntimeError, match=MESSAGE):
        exec((copy / "shop/wsgi.py").read_text())
    assert (copy / "shop/settings.py").read_text() == ""
    assert (project / "shop/wsgi.py").read_text() == "application = None\n"


def test_a_command_without_a_module_of_the_project_says_what_to_do(project: Path) -> None:
    settings = loads(CONFIG.replace("{module}", "'elsewhere.wsgi'"), "local")
    with pytest.raises(UsageError) as caught:
        entry_module(settings, project)
    assert "--no-fault" in (caught.value.hint or "")
