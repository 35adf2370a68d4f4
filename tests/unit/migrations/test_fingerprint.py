"""What changes the fingerprint of a project's migrations, and what does not."""

from __future__ import annotations

import pytest

from seatrial.project.migrations.fingerprint import fingerprint

FILES = {
    "shop/settings.py": b"INSTALLED_APPS = ['stock']",
    "stock/migrations/0001_initial.py": b"class Migration: ...",
    "stock/views.py": b"def index(): ...",
    "requirements.txt": b"django==5.2",
    "Dockerfile": b"FROM python",
}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("shop/settings.py", b"INSTALLED_APPS = ['stock', 'shops']"),
        ("stock/migrations/0001_initial.py", b"class Migration: pass"),
        ("stock/migrations/0002_more.py", b""),
        ("deep/down/stock/migrations/0001_initial.py", b""),
        ("shop/parts/base.py", b"MIGRATION_MODULES = {'stock': 'own'}"),
        ("requirements.txt", b"django==5.3"),
        ("requirements/base.in", b"django"),
        ("uv.lock", b"1"),
        ("Dockerfile.production", b"FROM other"),
    ],
)
def test_what_decides_about_migrations_changes_it(path: str, content: bytes) -> None:
    assert fingerprint(FILES | {path: content}, {}) != fingerprint(FILES, {})


@pytest.mark.parametrize("path", ["stock/views.py", "static/migrations/logo.svg", "README.md"])
def test_what_does_not_leaves_it(path: str) -> None:
    assert fingerprint(FILES | {path: b"something else"}, {}) == fingerprint(FILES, {})


def test_a_migration_that_goes_changes_it() -> None:
    fewer = {path: content for path, content in FILES.items() if "0001" not in path}
    assert fingerprint(fewer, {}) != fingerprint(FILES, {})


def test_the_variables_count_for_settings_may_read_them() -> None:
    assert fingerprint(FILES, {"SHOPS": "1"}) != fingerprint(FILES, {})


def test_content_cannot_move_between_files_unseen() -> None:
    one = {"a/migrations/0001.py": b"xy", "a/migrations/0002.py": b""}
    other = {"a/migrations/0001.py": b"x", "a/migrations/0002.py": b"y"}
    assert fingerprint(one, {}) != fingerprint(other, {})
