"""Where in a TOML file each key stands, so that an error can name the line.

:mod:`tomllib` gives values without positions. This is not a second parser: it walks over a document that tomllib has
already accepted, follows table headers and keys, and steps over values without understanding them.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

KeyPath = tuple[str, ...]


class Positions:
    """Lines (1-based) of the keys and tables of one document."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        _Scanner(text, self._lines).scan()

    def line(self, path: Sequence[object]) -> int | None:
        """Return the line of ``path``, or of the closest table around it; None for an empty document."""
        keys = tuple(str(part) for part in path)
        while keys:
            if keys in self._lines:
                return self._lines[keys]
            keys = keys[:-1]
        return None

    def known(self) -> frozenset[KeyPath]:
        """Return every key path that was seen."""
        return frozenset(self._lines)


class _Scanner:
    def __init__(self, text: str, lines: dict[KeyPath, int]) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines = lines
        self._table: KeyPath = ()

    def scan(self) -> None:
        while self._at < len(self._text):
            self._skip(" \t\r\n")
            if self._at >= len(self._text):
                return
            if self._text[self._at] == "#":
                self._rest_of_line()
            elif self._text[self._at] == "[":
                self._header()
            else:
                self._pair(self._table, "\n")

    def _header(self) -> None:
        while self._text[self._at] == "[":
            self._advance()
        self._table = self._keys("]")
        self._note(self._table, self._line)
        self._rest_of_line()

    def _pair(self, table: KeyPath, end: str) -> None:
        line = self._line
        path = table + self._keys("=")
        self._note(path, line)
        self._advance()
        self._skip(" \t\r\n")
        self._value(path)
        if end == "\n":
            self._rest_of_line()

    def _keys(self, end: str) -> KeyPath:
        start = self._at
        while self._text[self._at] != end:
            if self._text[self._at] in "\"'":
                self._string()
            else:
                self._advance()
        document: object = tomllib.loads(self._text[start : self._at].strip() + " = 0")
        path: list[str] = []
        while isinstance(document, dict):
            key, document = next(iter(document.items()))
            path.append(key)
        return tuple(path)

    def _value(self, path: KeyPath) -> None:
        character = self._text[self._at]
        if character in "\"'":
            self._string()
        elif character == "{":
            self._inline_table(path)
        elif character == "[":
            self._array(path)
        else:
            while self._at < len(self._text) and self._text[self._at] not in ",]}#\n":
                self._advance()

    def _inline_table(self, path: KeyPath) -> None:
        self._advance()
        while True:
            self._blank()
            if self._text[self._at] == "}":
                self._advance()
                return
            if self._text[self._at] == ",":
                self._advance()
                continue
            self._pair(path, "}")

    def _array(self, path: KeyPath) -> None:
        self._advance()
        index = 0
        while True:
            self._blank()
            if self._text[self._at] == "]":
                self._advance()
                return
            if self._text[self._at] == ",":
                self._advance()
                continue
            self._note((*path, str(index)), self._line)
            self._value((*path, str(index)))
            index += 1

    def _string(self) -> None:
        quote = self._text[self._at]
        fence = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._advance(len(fence))
        while not self._text.startswith(fence, self._at):
            self._advance(2 if quote == '"' and self._text[self._at] == "\\" else 1)
        self._advance(len(fence))
        while len(fence) == 3 and self._text.startswith(quote, self._at):  # up to two quotes may end the text itself
            self._advance()

    def _blank(self) -> None:
        self._skip(" \t\r\n")
        while self._at < len(self._text) and self._text[self._at] == "#":
            self._rest_of_line()
            self._skip(" \t\r\n")

    def _skip(self, characters: str) -> None:
        while self._at < len(self._text) and self._text[self._at] in characters:
            self._advance()

    def _rest_of_line(self) -> None:
        while self._at < len(self._text) and self._text[self._at] != "\n":
            self._advance()

    def _advance(self, count: int = 1) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count

    def _note(self, path: KeyPath, line: int) -> None:
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], line)
