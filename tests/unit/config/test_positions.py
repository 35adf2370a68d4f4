"""Lines of keys: right for the forms people write, and complete for any document tomllib accepts."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from seatrial.config.positions import Positions

DOCUMENT = '''# a comment with a [table] and key = 1
title = "x # not a comment"

[app] # trailing
name = 'shop'
"quoted key" = """
name = "inside a text"
"""

[services.web]
command = [
    "gunicorn",  # first
    "shop.wsgi", # second
]
health_check = { path = "/", codes = "200" }
environment.DEBUG = "0"
[services."odd.name"]
count = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("app",), 4),
        (("app", "name"), 5),
        (("app", "quoted key"), 6),
        (("services",), 10),
        (("services", "web", "command"), 11),
        (("services", "web", "command", "1"), 13),
        (("services", "web", "health_check", "codes"), 15),
        (("services", "web", "environment", "DEBUG"), 16),
        (("services", "odd.name", "count"), 18),
        (("services", "web", "absent"), 10),
        (("absent",), None),
    ],
)
def test_line_of(path: tuple[str, ...], line: int | None) -> None:
    tomllib.loads(DOCUMENT)
    assert Positions(DOCUMENT).line(path) == line


_keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
_scalars = st.one_of(
    st.booleans(), st.integers(-(2**60), 2**60), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
_values = st.recursive(
    _scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_keys, inner, max_size=3))
)


@given(st.dictionaries(_keys, _values, max_size=4), st.booleans())
def test_every_key_of_any_document_is_found(document: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline)
    known = Positions(text).known()
    for path in _paths(document):
        assert path in known


def _paths(node: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in node.items():
        if isinstance(value, dict):
            found += _paths(value, (*above, key))
        elif not (isinstance(value, list) and value and all(isinstance(each, dict) for each in value)):
            found.append((*above, key))  # an array of tables is written with headers, which our file never has
    return found
