"""What a Dockerfile says about running its image: variables, directory, command. Pure.

Reads the last stage and the stages it is built on (``FROM base`` where base is a stage). What needs a container engine
is not done but listed, see :class:`Stage`. The rules are those of the Dockerfile reference.
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
_VARIABLE = re.compile(
    r"\\(?P<escaped>\$)|\$(?:(?P<plain>\w+)|\{(?P<braced>\w+)(?:(?P<operator>:[-+])(?P<word>[^}]*))?\})"
)
_PAIR = re.compile(r"(?P<key>[A-Za-z_][\w.-]*)=(?P<value>(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|\\.|[^\s\"'\\])*)")
_FLAG = re.compile(r"--[a-z]+(?:=\S+)?\s+")


@dataclass(frozen=True)
class Copy:
    """A ``COPY`` or ``ADD`` from the context: sources as written and an absolute destination."""

    sources: tuple[str, ...]
    destination: str


@dataclass(frozen=True)
class Stage:
    """What the last stage amounts to.

    ``not_done`` are the instructions that change the image's files and need an engine: ``RUN``, and ``COPY`` from
    another stage or image. ``base`` is the image that the first stage of the chain is built on.
    """

    base: str = "scratch"
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = "/"
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str | None = None
    stop_signal: str | None = None
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    copies: tuple[Copy, ...] = ()
    not_done: tuple[str, ...] = ()
    command_is_inherited: bool = False


def last_stage(text: str, build_args: Mapping[str, str] | None = None) -> Stage:
    """Read a Dockerfile. Raises ``ValueError`` where it has no FROM."""
    reader = _Reader(dict(build_args or {}))
    for keyword, rest in _instructions(text):
        reader.take(keyword, rest)
    if reader.stage is None:
        raise ValueError("there is no FROM instruction")
    return reader.stage


class _Reader:
    def __init__(self, build_args: dict[str, str]) -> None:
        self.stage: Stage | None = None
        self._given = build_args
        self._global: dict[str, str] = {}
        self._arguments: dict[str, str] = {}
        self._stages: dict[str, Stage] = {}
        self._name = "0"

    def take(self, keyword: str, rest: str) -> None:
        if keyword == "FROM":
            self._from(rest)
        elif keyword == "ARG":
            self._arg(rest)
        elif self.stage is not None:
            self.stage = self._changed(self.stage, keyword, rest)
            self._stages[self._name] = self.stage

    def _from(self, rest: str) -> None:
        image, *alias = _FLAG.sub("", rest).split()
        image = self._substituted(image, self._global)
        known = self._stages.get(image.lower())
        self.stage = Stage(base=image) if known is None else replace(known, command_is_inherited=True)
        self._arguments = {}
        position = sum(name.isdigit() for name in self._stages)
        self._stages[str(position)] = self.stage
        self._name = alias[1].lower() if len(alias) == 2 and alias[0].upper() == "AS" else str(position)
        self._stages[self._name] = self.stage

    def _arg(self, rest: str) -> None:
        name, _, default = rest.strip().partition("=")
        inherited = self._global.get(name, "") if self.stage is not None and "=" not in rest else ""
        value = self._given.get(name, self._unquoted(default) or inherited)
        (self._global if self.stage is None else self._arguments)[name] = value

    def _changed(self, stage: Stage, keyword: str, rest: str) -> Stage:
        """Return the stage after one instruction.

        LABEL, EXPOSE, VOLUME, HEALTHCHECK, ONBUILD and MAINTAINER change nothing: a task on ECS is not run by them.
        """
        match keyword:
            case "ENV":
                stage = replace(stage, environment=dict(stage.environment) | self._pairs(rest))
            case "WORKDIR":
                stage = replace(stage, working_directory=posixpath.join(stage.working_directory, self._unquoted(rest)))
            case "CMD":
                stage = replace(stage, command=_exec_form(rest, stage.shell), command_is_inherited=False)
            case "ENTRYPOINT":  # a CMD that came with the base is then out of force
                command = () if stage.command_is_inherited else stage.command
                stage = replace(stage, entry_point=_exec_form(rest, stage.shell), command=command)
            case "USER":
                stage = replace(stage, user=self._unquoted(rest))
            case "STOPSIGNAL":
                stage = replace(stage, stop_signal=self._unquoted(rest))
            case "SHELL":
                stage = replace(stage, shell=_exec_form(rest, stage.shell))
            case "COPY" | "ADD":
                stage = self._copied(stage, keyword, rest)
            case "RUN":
                stage = replace(stage, not_done=(*stage.not_done, f"RUN {rest}"))
        return stage

    def _copied(self, stage: Stage, keyword: str, rest: str) -> Stage:
        words = _FLAG.sub("", rest + " ").strip()
        listed = _exec_form(words, ()) if words.startswith("[") else tuple(words.split())
        elsewhere = "--from=" in rest or any("://" in word for word in listed) or len(listed) < 2 or "<<" in rest
        if elsewhere:
            return replace(stage, not_done=(*stage.not_done, f"{keyword} {rest}"))
        *sources, destination = (self._unquoted(word) for word in listed)
        slash = "/" if destination.endswith("/") or destination in (".", "..") else ""
        where = posixpath.normpath(posixpath.join(stage.working_directory, destination)).rstrip("/") + slash
        return replace(stage, copies=(*stage.copies, Copy(tuple(sources), where)))

    def _pairs(self, rest: str) -> dict[str, str]:
        found = {match["key"]: self._unquoted(match["value"]) for match in _PAIR.finditer(rest)}
        if not found:  # the old form: ENV key the whole rest
            key, _, value = rest.strip().partition(" ")
            found = {key: self._unquoted(value.strip())}
        return found

    def _unquoted(self, text: str) -> str:
        """Remove quotes and put variables in, which single quotes prevent."""
        parts = re.findall(r"'([^']*)'|\"((?:\\.|[^\"\\])*)\"|((?:\\.|[^'\"])+)", text.strip())
        known = {"PATH": _DEFAULT_PATH} | self._arguments | dict(self.stage.environment if self.stage else {})
        return "".join(single or self._substituted(double or bare, known) for single, double, bare in parts)

    def _substituted(self, text: str, known: Mapping[str, str]) -> str:
        def value(match: re.Match[str]) -> str:
            if match["escaped"]:
                return "$"
            held = known.get(match["plain"] or match["braced"], "")
            if match["operator"] == ":-":
                return held or match["word"]
            if match["operator"] == ":+":
                return match["word"] if held else ""
            return held

        return re.sub(r"\\([^$])", r"\1", _VARIABLE.sub(value, text))


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield keyword and rest, continued lines joined, comments and here-documents left out."""
    directive = re.match(r"(?:#.*\n)*?#\s*escape\s*=\s*(.)", text)
    escape = directive[1] if directive else "\\"
    lines = iter(text.splitlines())
    for first in lines:
        line = first.strip()
        if not line or line.startswith("#"):
            continue
        while line.endswith(escape):
            following = next(lines, "").strip()
            line = line[:-1] + ("" if following.startswith("#") else following)
            if following.startswith("#"):
                line += escape
        keyword, _, rest = line.partition(" ")
        for match in _HEREDOC.finditer(rest) if keyword.upper() in ("RUN", "COPY", "ADD") else ():
            while next(lines, match[2]).strip() != match[2]:
                continue
        yield keyword.upper(), rest.strip()


def _exec_form(text: str, shell: tuple[str, ...]) -> tuple[str, ...]:
    """Return argv: the JSON form as it is, the shell form through the shell."""
    if text.startswith("["):
        try:
            words = json.loads(text)
        except ValueError:
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return tuple(words)
    return (*shell, text)
