"""Breaking a copy of the project on purpose."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from seatrial.config.load import loads
from seatrial.errors import UsageError
from seatrial.rehearsal.fault import MARKER, MESSAGE, broken_copy, entry_module, marked_copy

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


def test_the_fault_stands_where_a_module_may_have_it(project: Path, tmp_path: Path) -> None:
    source = '"""Doc."""\n\nfrom __future__ import annotations\n\nimport nowhere\n'
    (project / "shop" / "wsgi.py").write_text(source)
    settings = loads(CONFIG.replace("{module}", "'shop.wsgi'"), "local")
    copy = broken_copy(settings, project, [Path("shop/wsgi.py")], tmp_path / "copy")
    with pytest.raises(RuntimeError, match=MESSAGE):
        exec(compile((copy / "shop/wsgi.py").read_text(), "wsgi.py", "exec"))


def test_the_same_files_make_the_same_version_every_time(project: Path, tmp_path: Path) -> None:
    files = [Path("shop/wsgi.py"), Path("shop/settings.py")]
    versions = {commit_of(marked_copy(project, files, tmp_path / name)) for name in ("a", "b")}
    assert len(versions) == 1
    assert (tmp_path / "a" / MARKER).is_file()


def commit_of(tree: Path) -> str:
    return subprocess.run(
        ["git", "-C", str(tree), "rev-parse", "HEAD"], capture_output=True, check=True, text=True
    ).stdout
