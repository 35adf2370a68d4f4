"""The template language: what each intrinsic function makes of its arguments. Pure.

What a name stands for is asked of a :class:`Scope`. A scope may answer :class:`Unknown` (a physical id that only
exists after a replacement); whatever is built from it is unknown too, and remembers what it hangs on.

Dynamic references (``{{resolve:...}}``) stay text here and are resolved at the call that needs them
(:mod:`.dynamic`), as AWS does: secrets never enter a stack's state.

Source: AWS CloudFormation user guide, "Intrinsic function reference".
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from seatrial.emulator.cloudformation.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PSEUDO = frozenset(
    {
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    }
)


@dataclass(frozen=True)
class Unknown:
    """A value that will only be known once other resources have changed. ``causes`` are "Logical" or "Logical.Att"."""

    causes: tuple[str, ...]


class _NoValue:
    """``AWS::NoValue``: the property or list item is as if it had not been written."""

    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE = _NoValue()


class Scope(Protocol):
    """What names mean while a value is resolved."""

    def ref(self, name: str) -> Any:
        """Return the value of a parameter, a pseudo parameter or a resource's ``Ref``."""
        ...

    def get_att(self, name: str, attribute: str) -> Any:
        """Return an attribute of a resource."""
        ...

    def condition(self, name: str) -> bool:
        """Return whether a condition of the template holds."""
        ...

    def mapping(self, name: str) -> Mapping[str, Mapping[str, Any]] | None:
        """Return a mapping of the template."""
        ...

    def import_value(self, name: str) -> Any:
        """Return what another stack exports under ``name``."""
        ...

    def zones(self, region: str) -> list[str]:
        """Return the availability zones of a region."""
        ...


def resolve(value: Any, scope: Scope) -> Any:
    """Return ``value`` with every intrinsic function replaced by its result.

    Raises :class:`TemplateError` in AWS's words. ``AWS::NoValue`` removes the key or item it stands for.
    """
    if isinstance(value, list):
        return [item for item in (resolve(entry, scope) for entry in value) if item is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        function = _FUNCTIONS.get(name)
        if function:
            return function(argument, scope)
        if isinstance(name, str) and name.startswith("Fn::"):
            raise TemplateError(f"Template error: the function {name} is not known to the emulator")
    resolved = ((key, resolve(entry, scope)) for key, entry in value.items())
    return {key: entry for key, entry in resolved if entry is not NO_VALUE}


def evaluate(condition: Any, scope: Scope) -> bool:
    """Return whether a condition expression holds. Raises :class:`TemplateError` where it is none."""
    result = resolve(condition, scope)
    if isinstance(result, bool):
        return result
    raise TemplateError("Template format error: Every Conditions member must be a condition function.")


def unknowns(value: Any) -> tuple[str, ...]:
    """Return what the unknown parts of a resolved value hang on, without repetition."""
    return tuple(dict.fromkeys(_unknowns(value)))


def _unknowns(value: Any) -> Iterator[str]:
    if isinstance(value, Unknown):
        yield from value.causes
    elif isinstance(value, dict):
        for item in value.values():
            yield from _unknowns(item)
    elif isinstance(value, list):
        for item in value:
            yield from _unknowns(item)


def text(value: Any) -> str:
    """Return a scalar as CloudFormation writes it into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# --- Sub -------------------------------------------------------------------------------------------------------------

_VARIABLE = re.compile(r"\$\{(!?)([^{}]*)\}")


def substitute(template: str, value_of: Callable[[str], Any]) -> str | Unknown:
    """Return the text with every ``${name}`` replaced; ``${!name}`` stays as ``${name}``."""
    parts: list[Any] = []
    position = 0
    for match in _VARIABLE.finditer(template):
        parts.append(template[position : match.start()])
        position = match.end()
        if match[1]:
            parts.append("${" + match[2] + "}")
            continue
        value = value_of(_variable_name(match[2]))
        if isinstance(value, (list, dict)):
            raise TemplateError(
                f"Template error: variable {match[2]} in Fn::Sub expression does not resolve to a string"
            )
        parts.append(value)
    parts.append(template[position:])
    causes = unknowns(parts)
    return Unknown(causes) if causes else "".join(text(part) for part in parts)


def variables(template: str) -> list[str]:
    """Return the names that a ``Fn::Sub`` text refers to, in order."""
    return [_variable_name(match[2]) for match in _VARIABLE.finditer(template) if not match[1]]


def _variable_name(raw: str) -> str:
    name = raw.strip()
    if not re.fullmatch(r"[A-Za-z0-9_.:]+", name):
        raise TemplateError(
            "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, "
            "periods, and colons"
        )
    return name


def split_sub(argument: Any) -> tuple[str, dict[str, Any]]:
    """Return (text, variables given) of a ``Fn::Sub`` argument in either of its two forms."""
    if isinstance(argument, str):
        return argument, {}
    if (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
    ):
        return argument[0], argument[1]
    raise TemplateError(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as "
        "first argument, and an optional second argument to specify a mapping of values to replace in the string"
    )


def _sub(argument: Any, scope: Scope) -> Any:
    template, given = split_sub(argument)
    values = {key: resolve(value, scope) for key, value in given.items()}

    def value_of(name: str) -> Any:
        if name in values:
            return values[name]
        resource, dot, attribute = name.partition(".")
        return scope.get_att(resource, attribute) if dot else scope.ref(name)

    return substitute(template, value_of)


# --- names -----------------------------------------------------------------------------------------------------------


def _ref(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, str):
        raise TemplateError("Template format error: All Ref values must be a string.")
    return NO_VALUE if argument == "AWS::NoValue" else scope.ref(argument)


def split_get_att(argument: Any) -> tuple[str, Any]:
    """Return (resource, attribute) of a ``Fn::GetAtt`` argument; the attribute may hold a function."""
    if isinstance(argument, str):
        argument = argument.split(".", 1)
    if not isinstance(argument, list) or len(argument) < 2 or not isinstance(argument[0], str) or not argument[0]:
        raise TemplateError(
            "Template error: Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
            "attribute"
        )
    if len(argument) > 2:
        return argument[0], ".".join(str(part) for part in argument[1:])
    return argument[0], argument[1]


def _get_att(argument: Any, scope: Scope) -> Any:
    name, attribute = split_get_att(argument)
    attribute = resolve(attribute, scope)
    return scope.get_att(name, str(attribute))


def _import_value(argument: Any, scope: Scope) -> Any:
    name = resolve(argument, scope)
    causes = unknowns(name)
    return Unknown(causes) if causes else scope.import_value(text(name))


# --- functions of values ---------------------------------------------------------------------------------------------


def _known(function: Callable[[Any, Scope], Any]) -> Callable[[Any, Scope], Any]:
    """Wrap a function of resolved arguments: an unknown argument makes an unknown result."""

    def wrapped(argument: Any, scope: Scope) -> Any:
        value = resolve(argument, scope)
        causes = unknowns(value)
        return Unknown(causes) if causes else function(value, scope)

    return wrapped


def _join(value: Any, _: Scope) -> str:
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], list):
        raise TemplateError(
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
            "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        )
    return text(value[0]).join(text(item) for item in value[1])


def _split(value: Any, _: Scope) -> list[str]:
    if not isinstance(value, list) or len(value) != 2 or isinstance(value[1], (list, dict)):
        raise TemplateError(
            "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a "
            "string to "
            "be split or a function that returns a string to be split."
        )
    return text(value[1]).split(text(value[0]))


def _select(argument: Any, scope: Scope) -> Any:
    value = resolve(argument, scope)
    if not isinstance(value, list) or len(value) != 2:
        raise TemplateError(
            "Template error: every Fn::Select object requires two parameters, an index and a list to select from."
        )
    index, options = value
    if isinstance(index, Unknown) or isinstance(options, Unknown):
        return Unknown(unknowns(value))
    if not isinstance(options, list) or not re.fullmatch(r"-?\d+", text(index)):
        raise TemplateError(
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
        )
    number = int(index)
    if not 0 <= number < len(options):
        raise TemplateError(f"Template error: Fn::Select  cannot select nonexistent value at index {number}")
    return options[number]


def _find_in_map(value: Any, scope: Scope) -> Any:
    default: Any = NO_VALUE
    if isinstance(value, list) and len(value) == 4 and isinstance(value[3], dict) and set(value[3]) == {"DefaultValue"}:
        default = value[3]["DefaultValue"]
        value = value[:3]
    if not isinstance(value, list) or len(value) != 3:
        raise TemplateError(
            "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the "
            "attribute for return value"
        )
    name, first, second = (text(part) for part in value)
    found = (scope.mapping(name) or {}).get(first, {})
    if second in found:
        return found[second]
    for key, entry in found.items():  # a key such as 2012 is a number in YAML
        if text(key) == second:
            return entry
    if default is not NO_VALUE:
        return default
    raise TemplateError(f"Template error: Unable to get mapping for {name}::{first}::{second}")


def _get_azs(value: Any, scope: Scope) -> list[str]:
    return scope.zones(text(value) or text(scope.ref("AWS::Region")))


def cidr(block: str, count: int, bits: int) -> list[str]:
    """Return the first ``count`` networks inside ``block`` that leave ``bits`` bits to their hosts.

    Raises :class:`TemplateError` where the block has no room for them or ``count`` is not within 1 to 256.
    """
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError as error:
        raise TemplateError(f"Template error: Fn::Cidr object: {block} is not a valid CIDR block") from error
    prefix = network.max_prefixlen - bits
    if not 1 <= count <= 256:
        raise TemplateError("Template error: Fn::Cidr object: count must be between 1 and 256")
    if bits < 1 or prefix < network.prefixlen or count > 1 << (prefix - network.prefixlen):
        raise TemplateError(
            f"Template error: Fn::Cidr object: {block} has no room for {count} networks of {bits} host bits"
        )
    step = 1 << bits
    first = int(network.network_address)
    kind = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
    return [f"{kind(first + number * step)}/{prefix}" for number in range(count)]


def _cidr(value: Any, _: Scope) -> list[str]:
    if not isinstance(value, list) or len(value) not in {2, 3}:
        raise TemplateError(
            "Template error: every Fn::Cidr object requires two or three parameters, the ipBlock, the count and the "
            "cidrBits"
        )
    block = text(value[0])
    numbers = [text(number) for number in value[1:]]
    if not all(re.fullmatch(r"\d+", number) for number in numbers):
        raise TemplateError("Template error: Fn::Cidr object: count and cidrBits must be integers")
    bits = int(numbers[1]) if len(numbers) == 2 else (64 if ":" in block else 8)
    return cidr(block, int(numbers[0]), bits)


def _base64(value: Any, _: Scope) -> str:
    if isinstance(value, (list, dict)):
        raise TemplateError("Template error: every Fn::Base64 object must have a String-typed value.")
    return base64.b64encode(text(value).encode()).decode()


def _length(value: Any, _: Scope) -> int:
    if not isinstance(value, list):
        raise TemplateError("Template error: Fn::Length requires a list")
    return len(value)


def _to_json_string(value: Any, _: Scope) -> str:
    return json.dumps(value, separators=(",", ":"))


# --- conditions ------------------------------------------------------------------------------------------------------


def _equals(argument: Any, scope: Scope) -> bool:
    value = resolve(argument, scope)
    if not isinstance(value, list) or len(value) != 2:
        raise TemplateError("Template error: every Fn::Equals object requires a list of 2 string parameters.")
    left, right = value
    if unknowns(value):
        return False  # as on AWS, where a value not known yet is compared as the placeholder that stands for it
    if isinstance(left, (list, dict)) or isinstance(right, (list, dict)):
        return bool(left == right)
    return text(left) == text(right)


def _logic(name: str, combine: Callable[[list[bool]], bool], least: int, most: int) -> Callable[[Any, Scope], bool]:
    def function(argument: Any, scope: Scope) -> bool:
        if not isinstance(argument, list) or not least <= len(argument) <= most:
            wanted = "1" if least == most else f"at least {least} and at most {most}"
            raise TemplateError(f"Template error: every {name} object requires a list of {wanted} boolean parameters.")
        return combine([evaluate(entry, scope) for entry in argument])

    return function


def _if(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
        raise TemplateError(
            "Template error: every Fn::If object requires three parameters, the condition name, the value if true and "
            "the value if false"
        )
    return resolve(argument[1] if scope.condition(argument[0]) else argument[2], scope)


def _condition(argument: Any, scope: Scope) -> Any:
    # {"Condition": {...}} inside an IAM policy is a block of that policy, not a function.
    if isinstance(argument, str):
        return scope.condition(argument)
    return {"Condition": resolve(argument, scope)}


def _refuse_transform(argument: Any, _: Scope) -> Any:
    name = argument.get("Name") if isinstance(argument, dict) else argument
    raise TemplateError(f"Transform {name} is not run by the emulator. Process the template before it is given to it.")


_FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Ref": _ref,
    "Condition": _condition,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _known(_join),
    "Fn::Split": _known(_split),
    "Fn::Select": _select,
    "Fn::FindInMap": _known(_find_in_map),
    "Fn::GetAZs": _known(_get_azs),
    "Fn::Cidr": _known(_cidr),
    "Fn::Base64": _known(_base64),
    "Fn::Length": _known(_length),
    "Fn::ToJsonString": _known(_to_json_string),
    "Fn::Equals": _equals,
    "Fn::And": _logic("Fn::And", all, 2, 10),
    "Fn::Or": _logic("Fn::Or", any, 2, 10),
    "Fn::Not": _logic("Fn::Not", lambda values: not values[0], 1, 1),
    "Fn::If": _if,
    "Fn::Transform": _refuse_transform,
}
