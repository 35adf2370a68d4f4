"""The rules of .dockerignore."""

from __future__ import annotations

import pytest

from seatrial.images.ignore import Ignore


@pytest.mark.parametrize(
    ("rules", "path", "excluded"),
    [
        ("", "a", False),
        ("# a comment\n\n", "# a comment", False),
        ("node_modules", "node_modules/x/y.js", True),
        ("node_modules", "front/node_modules/x", False),
        ("**/node_modules", "front/node_modules/x", True),
        ("**/node_modules", "node_modules/x", True),
        ("/docs/", "docs/a.md", True),
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("**/*.pyc", "a/b/c.pyc", True),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/**", "a/b/c", True),
        ("file?.txt", "file1.txt", True),
        ("file?.txt", "file/.txt", False),
        ("[ab].txt", "a.txt", True),
        ("[^ab].txt", "a.txt", False),
        ("*\n!keep", "keep/x", False),
        ("*\n!keep", "other", True),
        ("!keep\n*", "keep", True),
        ("dir\n!dir/keep", "dir/keep", False),
        ("dir\n!dir/keep\ndir/keep/not", "dir/keep/not", True),
        ("./a", "a", True),
        (r"\*", "*", True),
        (r"\*", "a", False),
        ("a.b", "aXb", False),
        ("secret", "secrets", False),
    ],
)
def test_what_stays_out(rules: str, path: str, excluded: bool) -> None:
    assert Ignore(rules).excludes(path) is excluded
