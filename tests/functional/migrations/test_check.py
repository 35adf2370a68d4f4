"""``seatrial migrations check --since``: two git revisions of a Django project, read by its own interpreter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import main
from tests.functional.migrations.cases import PART
from tests.functional.migrations.support import interpreter
from tests.functional.release.support import git

if TYPE_CHECKING:
    from pathlib import Path

TOML = """
[app]
name = "shop"
settings = "shop.settings"
[services.web]
command = ["gunicorn", "shop.wsgi"]
port = 8000
routes = ["/*"]
[tasks.migrate]
command = ["python", "backend/manage.py", "migrate"]
gate = true
[database]
[secrets]
SECRET = {{ generate = 50 }}
[migrations]
python = "{python}"
"""
SETTINGS = """
import os

SECRET_KEY = os.environ["SECRET"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": os.environ["PGHOST"]}}
INSTALLED_APPS = ["stock"]
print("a settings module that talks")
"""
MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = {dependencies}
    operations = [{operations}]
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a first migration, committed and tagged ``before``, and a second one in the working tree."""
    root = tmp_path_factory.mktemp("shop")
    migrations = root / "backend" / "stock" / "migrations"
    migrations.mkdir(parents=True)
    (root / "backend" / "shop").mkdir()
    (root / "seatrial.toml").write_text(TOML.format(python=interpreter((5, 2))))
    (root / "backend" / "shop" / "settings.py").write_text(SETTINGS)
    (root / "backend" / "stock" / "__init__.py").touch()
    (migrations / "__init__.py").touch()
    first = MIGRATION.format(dependencies=[], operations=PART.replace("LABEL", "stock"))
    (migrations / "0001_initial.py").write_text(first)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-q", "-m", "before")
    git(root, "tag", "before")
    second = (
        'migrations.RemoveField("part", "text"), migrations.AddField("part", "extra", models.IntegerField(null=True))'
    )
    (migrations / "0002_change.py").write_text(
        MIGRATION.format(dependencies=[("stock", "0001_initial")], operations=second)
    )
    return root


def check(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["migrations", "check", *words, "--config", str(root / "seatrial.toml")])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_what_is_new_since_a_revision_is_judged(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = check(shop, capsys, "--since", "before")
    assert code == 2
    assert "2 pending operations: 1 contract, 1 expand" in out
    assert "stock.0002_change:RemoveField stock.Part.text: contract, irreversible" in out
    assert "way out: split it in two releases" in out
    code, out, _ = check(shop, capsys, "--since", "before", "--json")
    found = json.loads(out)
    assert (code, found["refused"]) == (2, True)
    assert [each["severity"] for each in found["findings"]] == ["refuse", "note"]


def test_nothing_new_refuses_nothing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = check(shop, capsys, "--since", "before", "--revision", "before")
    assert (code, out.splitlines()[0]) == (0, "no migration is pending")


def test_what_is_acknowledged_refuses_nothing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = shop / "seatrial.toml"
    before = toml.read_text()
    toml.write_text(before + 'acknowledged = ["stock.0002_change:RemoveField stock.Part.text"]\n')
    try:
        code, out, _ = check(shop, capsys, "--since", "before")
    finally:
        toml.write_text(before)
    assert code == 0
    assert "[acknowledged]" in out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('SECRET_KEY = os.environ["SECRET"]', 'SECRET_KEY = os.environ["OTHER"]'), "KeyError: 'OTHER'"),
        (("[tasks", "[migrations_]\n[tasks"), "is not a known key"),
        (("python = ", 'python = "nowhere/python"\n#'), "there is no nowhere/python"),
    ],
)
def test_a_project_that_cannot_be_asked_says_why(
    shop: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], said: str
) -> None:
    path = next(
        each for each in (shop / "seatrial.toml", shop / "backend/shop/settings.py") if change[0] in each.read_text()
    )
    before = path.read_text()
    path.write_text(before.replace(*change))
    try:
        code, _, err = check(shop, capsys, "--since", "before")
    finally:
        path.write_text(before)
    assert code == 2
    assert said in err


def test_one_of_environment_and_revision_is_needed(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(shop, capsys)[0] == 2
    assert check(shop, capsys, "local", "--since", "before")[0] == 2
