"""YAML as people write CloudFormation: short function tags, comments above what they explain, quotes where needed.

PyYAML's emitter can write no comments, hence this one. It knows the values of :mod:`seatrial.stack.graph` and nothing
of templates. Whatever it writes, PyYAML's 1.1 rules read back as the same values.
"""

from __future__ import annotations

import functools
import json
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from seatrial.stack import graph

if TYPE_CHECKING:
    from seatrial.stack.graph import Value

_WIDTH = 118
_STEP = "  "

#: What may stand without quotes; stricter than YAML, as people are.
_PLAIN = re.compile(r"[A-Za-z0-9/$.(_][A-Za-z0-9 _./@%+=~,;()'$?|!<>\"*:{}-]*")
#: In a flow sequence these end a plain scalar.
_FLOW_ENDS = re.compile(r"[,\[\]{}]")

#: Functions whose argument is a word: tag, and the word.
_SCALAR_FUNCTIONS: dict[type, tuple[str, Callable[[Any], str]]] = {
    graph.Ref: ("!Ref", lambda value: value.name),
    graph.GetAtt: ("!GetAtt", lambda value: f"{value.resource}.{value.attribute}"),
    graph.ImportValue: ("!ImportValue", lambda value: value.name),
    graph.Sub: ("!Sub", lambda value: value.text),
    graph.GetAZs: ("!GetAZs", lambda _: ""),
}

#: Functions whose argument is a sequence: tag, and the sequence.
_FUNCTIONS: dict[type, tuple[str, Callable[[Any], list[Value]]]] = {
    graph.Equals: ("!Equals", lambda value: [value.left, value.right]),
    graph.Not: ("!Not", lambda value: [value.condition]),
    graph.Select: ("!Select", lambda value: [value.index, value.value]),
    graph.Cidr: ("!Cidr", lambda value: [value.block, value.count, value.bits]),
    graph.Split: ("!Split", lambda value: [value.delimiter, value.value]),
    graph.Join: ("!Join", lambda value: [value.delimiter, list(value.values)]),
    graph.If: ("!If", lambda value: [value.condition, value.then, value.otherwise]),
}


def document(sections: Mapping[str, Value], *, header: str) -> str:
    """Return the sections as one document, an empty line before each, and between the entries of long ones."""
    lines = _comment(header, "")
    for name, value in sections.items():
        if not isinstance(value, Mapping):
            lines += _entry(f"{name}:", value, "")
            continue
        lines += ["", f"{name}:"]
        apart = name == "Resources"
        for position, (key, child) in enumerate(value.items()):
            if apart and position:
                lines.append("")
            lines += _entry(f"{_scalar(key)}:", child, _STEP)
    return "\n".join(lines) + "\n"


def _entry(start: str, value: Value, indent: str) -> list[str]:
    """Return the lines of ``start`` (a key with its colon, or a dash) and its value."""
    if isinstance(value, graph.Noted):
        return _comment(value.why, indent) + _entry(start, value.value, indent)
    if isinstance(value, str) and _is_text(value):
        return [f"{indent}{start} |", *(f"{indent}{_STEP}{line}".rstrip() for line in value.splitlines())]
    inline = _inline(value)
    if inline is not None:
        return [f"{indent}{start} {inline}"]
    tag, children = _parts(value)
    return [f"{indent}{start}{f' {tag}' if tag else ''}", *_block(children, indent + _STEP)]


def _block(value: Value, indent: str) -> list[str]:
    if isinstance(value, Mapping):
        return [line for key, child in value.items() for line in _entry(f"{_scalar(key)}:", child, indent)]
    return [line for child in value for line in _item(child, indent)]


def _item(value: Value, indent: str) -> list[str]:
    """Return the lines of one item of a sequence; a mapping begins on the line of its dash."""
    if isinstance(value, graph.Noted):
        return _comment(value.why, indent) + _item(value.value, indent)
    if isinstance(value, Mapping) and value:
        lines = _block(value, indent + _STEP)
        if not lines[0].lstrip().startswith("#"):
            return [f"{indent}- {lines[0].lstrip()}", *lines[1:]]
        return [f"{indent}-", *lines]
    return _entry("-", value, indent)


def _parts(value: Value) -> tuple[str, Value]:
    """Return the tag of a value that needs more than a line, and what stands below it."""
    if isinstance(value, graph.Sub):
        return "!Sub", [value.text, dict(value.variables)]
    if type(value) in _FUNCTIONS:
        tag, arguments = _FUNCTIONS[type(value)]
        return tag, arguments(value)
    return "", value


def _inline(value: Value, *, flow: bool = False) -> str | None:
    """Return a value that fits on a line, or None. ``flow``: inside brackets."""
    if isinstance(value, (str, int, float)):
        return _scalar(value, flow=flow)
    if isinstance(value, (Mapping, list, tuple)):
        return _inline_collection(value, flow=flow)
    return _inline_function(value, flow=flow)


def _inline_collection(value: Value, *, flow: bool) -> str | None:
    if not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    if isinstance(value, Mapping) or (not flow and not all(isinstance(item, (str, int)) for item in value)):
        return None
    return _sequence(*value) if flow or len(repr(value)) < _WIDTH - 40 else None


def _inline_function(value: Value, *, flow: bool) -> str | None:
    if isinstance(value, graph.Sub) and value.variables:
        return None
    if type(value) in _SCALAR_FUNCTIONS:
        tag, argument = _SCALAR_FUNCTIONS[type(value)]
        return f"{tag} {_scalar(argument(value), flow=flow)}"
    if type(value) in _FUNCTIONS:
        tag, arguments = _FUNCTIONS[type(value)]
        inner = _sequence(*arguments(value))
        return None if inner is None else f"{tag} {inner}"
    return None


def _sequence(*items: Value) -> str | None:
    written = [_inline(item, flow=True) for item in items]
    return None if None in written else f"[{', '.join(item for item in written if item is not None)}]"


def _scalar(value: str | float, *, flow: bool = False) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    text = str(value)
    return text if _may_be_plain(text, flow=flow) else _quoted(text)


def _quoted(text: str) -> str:
    """Return JSON's form, which is YAML's too, with every character that cannot be seen as an escape."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08X}" for each in written)


def _may_be_plain(text: str, *, flow: bool) -> bool:
    if not _PLAIN.fullmatch(text) or text.endswith((":", " ")) or ": " in text:
        return False
    if flow and _FLOW_ENDS.search(text):
        return False
    return _reads_as_string(text)


@functools.cache
def _reads_as_string(text: str) -> bool:
    """Whether YAML 1.1 reads the bare word as a string; it takes ``on``, ``1_000`` and dates for something else."""
    import yaml

    resolver: Any = yaml.resolver.Resolver()
    return bool(resolver.resolve(yaml.ScalarNode, text, (True, False)) == "tag:yaml.org,2002:str")


def _is_text(value: str) -> bool:
    """Whether a string is several lines that a literal block holds unchanged."""
    lines = value.split("\n")
    return (
        len(lines) > 2
        and lines[-1] == ""
        and bool(lines[0])
        and not lines[0].startswith(" ")
        and all(line.isprintable() and line == line.rstrip() for line in lines)
        and bool(lines[-2])
    )


def _comment(text: str, indent: str) -> list[str]:
    width = _WIDTH - len(indent)
    return textwrap.wrap(text, width, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
