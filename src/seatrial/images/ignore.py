"""Which files ``.dockerignore`` keeps out of a build context. Pure.

The rules are Docker's (Dockerfile reference, ".dockerignore file", and github.com/moby/patternmatcher): Go's
``filepath.Match`` per path component, ``**`` for any number of directories, ``!`` for exceptions, the last matching
line decides, and a pattern that matches a directory matches all below it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    exclude: bool


class Ignore:
    """The rules of one file. ``text`` is its content."""

    def __init__(self, text: str) -> None:
        self._rules = [rule for line in text.splitlines() if (rule := _rule(line)) is not None]

    def excludes(self, path: str) -> bool:
        """Whether a file, given by its path relative to the context with ``/``, stays out."""
        excluded = False
        for rule in self._rules:
            if rule.exclude != excluded and rule.pattern.match(path):
                excluded = rule.exclude
        return excluded


def _rule(line: str) -> _Rule | None:
    if line.startswith("#"):
        return None
    line = line.strip().removeprefix("\ufeff")
    exclude = not line.startswith("!")
    pattern = posixpath.normpath(line.removeprefix("!").strip() or ".").lstrip("/")
    if pattern in (".", ""):
        return None
    return _Rule(re.compile(_translate(pattern) + r"(?:/.*)?\Z", re.DOTALL), exclude)


def _translate(pattern: str) -> str:
    parts = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if pattern.startswith("**", position):
            position += 2
            if pattern.startswith("/", position):
                position += 1
                parts.append("(?:.*/)?")
            else:
                parts.append(".*")
            continue
        if character == "[" and "]" in pattern[position + 1 :]:
            end = pattern.index("]", position + 1)
            inside = pattern[position + 1 : end].replace("\\", "\\\\")
            parts.append(f"[{inside}]")
            position = end + 1
            continue
        if character == "\\" and position + 1 < len(pattern):
            position += 1
            parts.append(re.escape(pattern[position]))
        else:
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(character, re.escape(character)))
        position += 1
    return "".join(parts)
