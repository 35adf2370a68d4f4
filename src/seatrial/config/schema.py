"""The JSON Schema of ``seatrial.toml`` for editors, and the reference page, both derived from the models."""

from __future__ import annotations

import copy
from typing import Any

from seatrial.config.models import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: JSON's types in the words of the reference page.
_NAMES = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
    "array": "list",
}


def json_schema() -> dict[str, Any]:
    """Return the schema of the whole file, environments and their overlays included."""
    schema = Settings.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs")
    own = definitions.pop("Environment")["properties"]
    properties = {name: value for name, value in schema["properties"].items() if name not in ("name", "target")}
    partial = {f"{name}Overlay": _without_required(value) for name, value in definitions.items()}
    overlay = {
        "type": "object",
        "additionalProperties": False,
        "description": "Its own keys, and tables laid over the top-level ones for this environment.",
        "properties": {**_overlaid(_without_required(properties)), **own},
    }
    return {
        "$schema": DIALECT,
        "title": "seatrial.toml",
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in schema["required"] if name in properties],
        "properties": {**properties, "environments": {"type": "object", "additionalProperties": overlay}},
        "$defs": {**definitions, **_overlaid(partial)},
    }


def reference() -> str:
    """Return the reference page in Markdown: every table, every key, its type, default and meaning."""
    schema = json_schema()
    definitions = schema["$defs"]
    lines = ["# Reference of seatrial.toml", "", "Made from the same models that validate the file.", ""]
    for table, value in schema["properties"].items():
        if table == "environments":
            lines += _section(
                "[environments.NAME]",
                {
                    "description": "Where a release goes, and what differs there. Any top-level table may be repeated "
                    "under it and is laid over the one at the top, key by key.",
                    "properties": {
                        key: inner
                        for key, inner in value["additionalProperties"]["properties"].items()
                        if key not in schema["properties"]
                    },
                },
                definitions,
            )
            continue
        many, definition = _definition_of(value, definitions)
        heading = f"[{table}.NAME]" if many else f"[{table}]"
        lines += _section(heading, definition or {"description": value.get("description", "")}, definitions)
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(heading: str, definition: dict[str, Any], definitions: dict[str, Any], *, choice: str = "") -> list[str]:
    """Return the section of a table and of those in it; ``choice`` says which of several it may be."""
    text = " ".join(str(definition.get("description", "")).replace("``", "`").split())
    lines = [f"## `{heading}`{choice}", "", text, ""]
    properties = definition.get("properties", {})
    if properties:
        lines += ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
        lines += [_row(key, value, definition, definitions) for key, value in properties.items()]
        lines.append("")
    for key, value in properties.items():
        _, inner = _definition_of(value, definitions)
        if inner:
            lines += _section(f"{heading[:-1]}.{key}]", inner, definitions)
        lines += _choices(f"{heading[:-1]}.{key}]", value, definitions)
    return lines


def _row(key: str, value: dict[str, Any], definition: dict[str, Any], definitions: dict[str, Any]) -> str:
    default = f"`{_shown(value.get('default'))}`"
    if key in definition.get("required", []):
        default = "required"
    meaning = str(value.get("description", "")).replace("|", "\\|")
    return f"| `{key}` | {_type(value, definitions)} | {default} | {meaning} |"


def _choices(heading: str, value: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """Return the sections of a table that may be one of several, told apart by its ``type``."""
    lines: list[str] = []
    inside: dict[str, list[str]] = {}
    for tag, reference_ in value.get("discriminator", {}).get("mapping", {}).items():
        definition = definitions[reference_.rsplit("/", 1)[1]]
        tables = {key: _definition_of(each, definitions)[1] for key, each in definition["properties"].items()}
        flat = definition | {"properties": {k: v for k, v in definition["properties"].items() if not tables[k]}}
        shown = _section(heading, flat, definitions, choice=f" with type `{tag}`")
        rows = [_row(k, definition["properties"][k], definition, definitions) for k, v in tables.items() if v]
        lines += [*shown[:-1], *rows, ""]
        inside |= {k: _section(f"{heading[:-1]}.{k}]", v, definitions) for k, v in tables.items() if v}
    return [*lines, *(line for section in inside.values() for line in section)]


def _definition_of(value: dict[str, Any], definitions: dict[str, Any]) -> tuple[bool, dict[str, Any] | None]:
    for candidate in (value, *value.get("anyOf", [])):
        if "$ref" in candidate:
            return False, definitions[candidate["$ref"].rsplit("/", 1)[1]]
    inner = value.get("additionalProperties") or next(iter(value.get("patternProperties", {}).values()), None)
    if isinstance(inner, dict) and "$ref" in inner:
        return True, definitions[inner["$ref"].rsplit("/", 1)[1]]
    return False, None


def _type(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(_type(each, definitions) for each in value["anyOf"] if each.get("type") != "null")
    if "$ref" in value or "discriminator" in value:
        return "table"
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    names = {
        "string": "text",
        "integer": "number",
        "number": "number",
        "boolean": "true or false",
        "object": "table",
        "array": "list",
    }
    return names[value["type"]]


def _shown(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case dict() | list() | tuple() if not value:
            return "{}" if isinstance(value, dict) else "[]"
        case {"type": kind}:  # the other keys of a choice have their own defaults
            return f'{{ type = "{kind}" }}'
        case _:
            return str(value)


def _without_required(node: Any) -> Any:
    """Return a schema node in which nothing is required and no default is promised: an overlay says only changes."""
    node = copy.deepcopy(node)
    if isinstance(node, dict):
        if isinstance(node.get("required"), list):
            del node["required"]
        if "default" in node and "type" in node:
            del node["default"]
        return {key: _without_required(value) for key, value in node.items()}
    return [_without_required(each) for each in node] if isinstance(node, list) else node


def _overlaid(node: Any) -> Any:
    """Return the node with every reference pointing at the overlay variant of its definition."""
    if isinstance(node, dict):
        return {
            key: f"{value}Overlay" if key == "$ref" and isinstance(value, str) else _overlaid(value)
            for key, value in node.items()
        }
    return [_overlaid(each) for each in node] if isinstance(node, list) else node
