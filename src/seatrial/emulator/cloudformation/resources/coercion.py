"""CloudFormation's properties as an API's parameters, by the API's own input shapes.

CloudFormation writes ``PortMappings`` where ECS has ``portMappings``, ``"80"`` where the API wants 80, a JSON document
where it wants text and ``[...]`` where CloudFront wants ``{"Quantity": 1, "Items": [...]}``. botocore's service model
knows what each call takes, so nothing of this is written down by type.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.intrinsics import text

if TYPE_CHECKING:
    from collections.abc import Callable

    #: Is told the path of a member that an API has no place for.
    Misfit = Callable[[tuple[str, ...]], None]

_TAG_KEYS = ({"Key", "Value"}, {"key", "value"}, {"TagKey", "TagValue"})


def coerce(shape: Any, value: Any, misfit: Misfit = lambda _: None) -> Any:
    """Return ``value`` as the botocore ``shape`` wants it. Members that it does not have are left out and told."""
    coercion = _COERCIONS.get(shape.type_name)
    if coercion:
        return coercion(shape, value, misfit)
    return _SCALARS[shape.type_name](value) if shape.type_name in _SCALARS else value


def members(shape: Any) -> dict[str, str]:
    """Return the members of an input shape, lower case → as the API spells it."""
    return {name.lower(): name for name in (shape.members if shape is not None else ())}


def _below(misfit: Misfit, key: str) -> Misfit:
    return lambda path: misfit((key, *path))


def _structure(shape: Any, value: Any, misfit: Misfit) -> Any:
    if isinstance(value, list) and {"Quantity", "Items"} <= set(shape.members):
        value = {"Quantity": len(value), "Items": value}
    if shape.is_document_type:  # any JSON, which CloudFormation may give as text
        return json.loads(value) if isinstance(value, str) else value
    if not isinstance(value, dict):
        return value
    known, answer = members(shape), {}
    for key, item in value.items():
        name = known.get(key.lower())
        if item is None:
            continue
        if name is None:
            misfit((key,))
        else:
            answer[name] = coerce(shape.members[name], item, _below(misfit, key))
    return answer


def _list(shape: Any, value: Any, misfit: Misfit) -> list[Any]:
    if isinstance(value, dict):
        pairs = next((keys for keys in _TAG_KEYS if keys == set(getattr(shape.member, "members", ()))), None)
        if pairs:
            key, content = sorted(pairs)
            return [{key: name, content: text(item)} for name, item in value.items()]
    return [coerce(shape.member, item, misfit) for item in (value if isinstance(value, list) else [value])]


def _integer(value: Any) -> int:
    return int(float(value))


def _float(value: Any) -> float:
    return float(value)


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else str(value).lower() == "true"


def _string(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (dict, list)) else text(value)


def _blob(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def _map(shape: Any, value: Any, misfit: Misfit) -> Any:
    if isinstance(value, list) and all(isinstance(item, dict) and {"Key", "Value"} <= set(item) for item in value):
        value = {item["Key"]: item["Value"] for item in value}
    if not isinstance(value, dict):
        return value
    return {key: coerce(shape.value, item, _below(misfit, str(key))) for key, item in value.items()}


_COERCIONS: dict[str, Callable[[Any, Any, Misfit], Any]] = {"structure": _structure, "list": _list, "map": _map}

_SCALARS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "string": _string,
    "blob": _blob,
}
