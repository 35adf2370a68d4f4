"""The CloudFormation registry schemas, read as data from the package that ships them, each once and when needed.

They say which property makes a replacement, which attributes exist, what is required and what is unknown. The package
(cfn-lint) is never imported: that would cost seconds.
"""

from __future__ import annotations

import importlib.util
import json
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Pointer = tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    """The schema of one resource type. Pointers are property names from the top down, ``*`` for any list item."""

    type: str
    document: Mapping[str, Any]

    def _pointers(self, key: str) -> tuple[Pointer, ...]:
        return tuple(tuple(path.split("/")[2:]) for path in self.document.get(key, ()))

    @cached_property
    def create_only(self) -> tuple[Pointer, ...]:
        """Properties whose change replaces the resource."""
        return self._pointers("createOnlyProperties")

    @cached_property
    def conditional_create_only(self) -> tuple[Pointer, ...]:
        """Properties whose change may replace the resource."""
        return self._pointers("conditionalCreateOnlyProperties")

    @cached_property
    def attributes(self) -> frozenset[str]:
        """What ``Fn::GetAtt`` may ask for, in dotted form."""
        read_only = {".".join(pointer) for pointer in self._pointers("readOnlyProperties")}
        return frozenset(read_only | {".".join(pointer) for pointer in self._pointers("primaryIdentifier")})

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """Top-level properties."""
        properties: Mapping[str, Any] = self.document.get("properties", {})
        return properties

    @property
    def tags(self) -> str | None:
        """The property that takes tags, None where the type has none."""
        path = self.document.get("tagging", {}).get("tagProperty", "/properties/Tags")
        name = str(path).rsplit("/", 1)[-1]
        return name if name in self.properties else None

    def supports(self, attribute: str) -> bool:
        """Whether ``Fn::GetAtt`` may ask for ``attribute``: read-only, or a property that is a plain value."""
        if attribute in self.attributes:
            return True
        return attribute.split(".", maxsplit=1)[0] in self.properties


class Schemas:
    """All types by name. Thread-safe."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._lock = threading.Lock()
        self._types: Mapping[str, str] | None = None
        self._loaded: dict[str, Schema | None] = {}

    def get(self, name: str) -> Schema | None:
        """Return the schema of a type, None where the registry does not know it."""
        with self._lock:
            if name not in self._loaded:
                digest = self._index().get(name)
                self._loaded[name] = Schema(name, _read(Path("resources") / f"{digest}.json")) if digest else None
            return self._loaded[name]

    def _index(self) -> Mapping[str, str]:
        if self._types is None:
            region = Path("providers") / f"{self._region}.json"
            self._types = _read(region if (_directory() / region).exists() else Path("providers/us-east-1.json"))
        return self._types


def _directory() -> Path:
    found = importlib.util.find_spec("cfnlint")
    if found is None or found.origin is None:
        raise FileNotFoundError("the CloudFormation registry schemas are missing; install seatrial[emulator]")
    return Path(found.origin).parent / "data" / "schemas"


def _read(path: Path) -> Any:
    return json.loads((_directory() / path).read_text(encoding="utf-8"))


# --- values against a schema -----------------------------------------------------------------------------------------


def faults(schema: Schema, properties: Mapping[str, Any]) -> list[str]:
    """Return what AWS finds wrong with resolved properties before it calls the service, in its words."""
    return list(_faults(schema.document, schema.document, dict(properties), "#"))


def _faults(root: Mapping[str, Any], shape: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    shape = _target(root, shape)
    kinds = shape.get("type")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds or ())
    if isinstance(value, dict):
        if kinds and "object" not in kinds:
            if "string" not in kinds:  # a JSON document may stand where a text is expected, e.g. a policy
                yield f"{path}: expected type: {kinds[0].capitalize()}, found: JSONObject"
            return
        yield from _object_faults(root, shape, value, path)
    elif isinstance(value, list):
        if kinds and "array" not in kinds:
            yield f"{path}: expected type: {kinds[0].capitalize()}, found: JSONArray"
            return
        for number, item in enumerate(value):
            if isinstance(shape.get("items"), dict):
                yield from _faults(root, shape["items"], item, f"{path}/{number}")
    else:
        yield from _scalar_faults(shape, kinds, value, path)


def _object_faults(
    root: Mapping[str, Any], shape: Mapping[str, Any], value: dict[str, Any], path: str
) -> Iterator[str]:
    properties = shape.get("properties") or {}
    for key in shape.get("required", ()):
        if key not in value:
            yield f"{path}: required key [{key}] not found"
    patterns = shape.get("patternProperties")
    for key, item in value.items():
        if key in properties:
            yield from _faults(root, properties[key], item, f"{path}/{key}")
        elif shape.get("additionalProperties") is False and properties and not patterns:
            yield f"{path}: extraneous key [{key}] is not permitted"


def _scalar_faults(shape: Mapping[str, Any], kinds: list[str], value: Any, path: str) -> Iterator[str]:
    words = {"object": "JSONObject", "array": "JSONArray"}
    found = {bool: "Boolean", int: "Integer", float: "Number"}.get(type(value), "String")
    if kinds and all(kind in words for kind in kinds):
        yield f"{path}: expected type: {words[kinds[0]]}, found: {found}"
        return
    if set(kinds) <= {"integer", "number"} and kinds and not _is_number(value):
        yield f"{path}: expected type: {kinds[0].capitalize()}, found: {found}"
    allowed = shape.get("enum")
    if allowed and value not in allowed and str(value) not in {str(entry) for entry in allowed}:
        yield f"{path}: {value} is not a valid enum value"


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _target(root: Mapping[str, Any], shape: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in shape:
        target: Any = root
        for step in str(shape["$ref"]).removeprefix("#/").split("/"):
            target = target[step]
        shape = target
    return shape
