"""Wildcards of conditions and keywords of redirects, on data."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.emulator.loadbalancing import patterns
from seatrial.emulator.loadbalancing.model import Redirect
from seatrial.emulator.loadbalancing.redirects import location

PLAIN = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=12)


@pytest.mark.parametrize(
    ("pattern", "subject", "matches"),
    [
        (patterns.path_pattern("/img/*"), "/img/a/b.png", True),
        (patterns.path_pattern("/img/*"), "/img/", True),
        (patterns.path_pattern("/img/*"), "/img", False),
        (patterns.path_pattern("/img/*"), "/IMG/a", False),
        (patterns.path_pattern("/a?c"), "/abc", True),
        (patterns.path_pattern("/a?c"), "/ac", False),
        (patterns.path_pattern("/a.c"), "/abc", False),
        (patterns.path_pattern(r"/a\?"), "/a?", True),
        (patterns.path_pattern("/end\\"), "/end\\", True),
        (patterns.host_pattern("*.example.com"), "WWW.Example.com", True),
        (patterns.host_pattern("*.example.com"), "www.example.com:8443", True),
        (patterns.host_pattern("*.example.com"), "example.com", False),
        (patterns.host_pattern("example.com"), "example.com.evil", False),
        (patterns.header_pattern("*chrome*"), "Mozilla Chrome/1", True),
        (patterns.method_pattern("GET"), "GET", True),
        (patterns.method_pattern("GET"), "get", False),
        (patterns.query_pattern("a", "1"), "/p?a=1", True),
        (patterns.query_pattern("a", "1"), "/p?b=2&A=1&c", True),
        (patterns.query_pattern("a", "1"), "/p?ba=1", False),
        (patterns.query_pattern("a", "1"), "/a=1", False),
        (patterns.query_pattern("a", "*"), "/p?a=1&b=2", True),
        (patterns.query_pattern("k*", "v"), "/p?key=v", True),
        (patterns.query_pattern(None, "v"), "/p?key=v", True),
        (patterns.query_pattern(None, "v"), "/p?v", True),
        (patterns.query_pattern(None, "v"), "/p?v=w", False),
        (patterns.query_pattern(None, "a=b"), "/p?k=a=b", True),
    ],
)
def test_a_pattern_matches_the_whole_of_its_subject(pattern: str, subject: str, *, matches: bool) -> None:
    assert bool(re.fullmatch(pattern, subject)) is matches


def _agrees(glob: str, text: str) -> bool:
    """An oracle that knows no regular expressions."""
    if not glob:
        return not text
    if glob[0] == "*":
        return _agrees(glob[1:], text) or (bool(text) and _agrees(glob, text[1:]))
    return bool(text) and glob[0] in ("?", text[0]) and _agrees(glob[1:], text[1:])


@given(st.text("ab*?.", max_size=6), st.text("ab.", max_size=6))
def test_wildcards_mean_what_they_say(glob: str, text: str) -> None:
    assert bool(re.fullmatch(patterns.path_pattern(glob), text)) is _agrees(glob, text)


def test_a_pattern_of_many_stars_is_decided_at_once() -> None:
    """Backtracking would take longer than the universe has lasted; pytest's own timeout is the judge."""
    assert not re.fullmatch(patterns.path_pattern("*a" * 60), "a" * 2000 + "b")
    assert not re.fullmatch(patterns.query_pattern("k", "*a" * 60), "/?" + "&".join(["k=" + "a" * 200 + "b"] * 20))


@given(st.text("ab*?.\\(>", max_size=8), st.text("ab.(>", max_size=6))
def test_the_expression_for_re2_means_the_same(glob: str, text: str) -> None:
    pattern = patterns.path_pattern(glob)
    assert "(?>" not in patterns.for_re2(pattern)
    assert bool(re.fullmatch(patterns.for_re2(pattern), text)) is bool(re.fullmatch(pattern, text))


@given(PLAIN)
def test_escaped_text_matches_itself_and_nothing_else(text: str) -> None:
    pattern = patterns.path_pattern("".join("\\" + character for character in text))
    assert re.fullmatch(pattern, text)
    assert not re.fullmatch(pattern, text + "x")


UNCHANGED = Redirect(301, "#{protocol}", "#{host}", "#{port}", "/#{path}", "#{query}")


@pytest.mark.parametrize(
    ("changes", "target", "expected"),
    [
        ({}, "/a/b?c=d", "http://example.com:8080/a/b?c=d"),
        ({}, "/", "http://example.com:8080/"),
        ({"protocol": "https", "port": "443"}, "/x", "https://example.com:443/x"),
        ({"host": "www.#{host}"}, "/x", "http://www.example.com:8080/x"),
        ({"path": "/#{host}/#{port}/#{path}"}, "/x/y", "http://example.com:8080/example.com/8080/x/y"),
        ({"query": "#{query}&v=#{protocol}"}, "/x?a=1", "http://example.com:8080/x?a=1&v=http"),
        ({"query": ""}, "/x?a=1", "http://example.com:8080/x"),
        ({"path": "/#{unknown}"}, "/x", "http://example.com:8080/#{unknown}"),
        ({}, "/#{host}?#{port}", "http://example.com:8080/#{host}?#{port}"),
    ],
)
def test_a_redirect_fills_in_the_parts_of_the_request(changes: dict[str, str], target: str, expected: str) -> None:
    made = location(
        replace(UNCHANGED, **changes),  # type: ignore[arg-type]  # every part that is changed here is text
        protocol="http",
        host="example.com:8080",
        port=8080,
        target=target,
    )
    assert made == expected
