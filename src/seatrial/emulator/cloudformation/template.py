"""Reading a template: YAML with short tags or JSON, and the format errors that AWS reports before anything is created.

Only the text's shape is judged here. References between resources are judged in :mod:`.references`, values in
:mod:`.schemas` when their resource is created, as on AWS.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from seatrial.emulator.cloudformation.errors import TemplateError

SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Mappings",
        "Conditions",
        "Rules",
        "Transform",
        "Hooks",
        "Resources",
        "Outputs",
    }
)
RESOURCE_KEYS = frozenset(
    {
        "Type",
        "Properties",
        "DependsOn",
        "Condition",
        "DeletionPolicy",
        "UpdateReplacePolicy",
        "Metadata",
        "UpdatePolicy",
        "CreationPolicy",
    }
)
DELETION_POLICIES = ("Delete", "Retain", "Snapshot", "RetainExceptOnCreate")
REPLACE_POLICIES = ("Delete", "Retain", "Snapshot")
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"


@dataclass(frozen=True)
class Template:
    """A template that has been read and whose format is right. ``body`` is the text as it was given."""

    body: str
    document: dict[str, Any]

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Logical id → definition."""
        resources: dict[str, dict[str, Any]] = self.document["Resources"]
        return resources

    @cached_property
    def transforms(self) -> tuple[str, ...]:
        """The names under ``Transform``."""
        declared = self.document.get("Transform") or []
        return tuple(declared) if isinstance(declared, list) else (declared,)

    def section(self, name: str) -> dict[str, Any]:
        """Return an optional section, empty where the template has none."""
        section: dict[str, Any] = self.document.get(name) or {}
        return section


def read(body: str) -> Template:
    """Read and judge a template. Raises :class:`TemplateError` in AWS's words, with the line of a syntax error."""
    document = parse(body)
    if not isinstance(document, dict):
        raise TemplateError("Template format error: unsupported structure.")
    _judge(document)
    return Template(body, document)


def parse(body: str) -> Any:
    """Read the text alone. A body that starts with ``{`` is JSON, everything else YAML."""
    if body.lstrip().startswith("{"):
        try:
            return json.loads(body)
        except json.JSONDecodeError as error:
            json_error = error
        try:  # flow YAML starts like JSON
            return yaml.load(body, Loader=_Loader)  # noqa: S506  # a SafeLoader with short tags
        except yaml.YAMLError:
            place = f"(line {json_error.lineno}, column {json_error.colno})"
            raise TemplateError(f"Template format error: JSON not well-formed. {place}") from json_error
    try:
        return yaml.load(body, Loader=_Loader)  # noqa: S506  # a SafeLoader with short tags
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise TemplateError(f"Template format error: YAML not well-formed.{place}") from error
    except yaml.YAMLError as error:
        raise TemplateError("Template format error: YAML not well-formed.") from error


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: short tags, and dates stay text (``Version: 2012-10-17``)."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_tag)


def _judge(document: dict[str, Any]) -> None:
    unknown = sorted(str(key) for key in document if key not in SECTIONS)
    if unknown:
        raise TemplateError(f"Invalid template property or properties [{', '.join(unknown)}]")
    version = document.get("AWSTemplateFormatVersion", "2010-09-09")
    if str(version) != "2010-09-09":
        raise TemplateError("Template format error: unsupported value for AWSTemplateFormatVersion.")
    for name in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs"):
        if document.get(name) is not None and not isinstance(document[name], dict):
            raise TemplateError(f"Template format error: Every {name} object must be a map.")
    for transform in Template("", document).transforms:
        if transform != LANGUAGE_EXTENSIONS:
            raise TemplateError(
                f"Transform {transform} is not run by the emulator. Process the template first "
                "(sam build, aws cloudformation package) or write it without the transform."
            )
    _judge_members(document)


def _judge_members(document: dict[str, Any]) -> None:
    if not document.get("Resources"):
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    for name, parameter in (document.get("Parameters") or {}).items():
        _judge_parameter(name, parameter)
    for name, resource in document["Resources"].items():
        _judge_resource(str(name), resource)
    for name, output in (document.get("Outputs") or {}).items():
        if not isinstance(output, dict) or "Value" not in output:
            raise TemplateError(
                f"Template format error: [/Outputs/{name}] Every Outputs member must contain a Value object"
            )
    if LANGUAGE_EXTENSIONS not in Template("", document).transforms:
        _judge_extensions(document)


def _judge_parameter(name: str, parameter: Any) -> None:
    if not isinstance(parameter, dict) or "Type" not in parameter:
        raise TemplateError(
            f"Template format error: [/Parameters/{name}] Every Parameters object must contain a Type attribute."
        )
    kind = str(parameter["Type"])
    if kind not in {"String", "Number", "CommaDelimitedList", "List<Number>"} and not re.fullmatch(
        r"(List<)?AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+(<.+>)?>?", kind
    ):
        raise TemplateError(f"Template format error: Unrecognized parameter type: {kind}")


def _judge_resource(name: str, resource: Any) -> None:
    if not re.fullmatch(r"[A-Za-z0-9]+", name):
        raise TemplateError(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(resource, dict):
        raise TemplateError(f"Template format error: [/Resources/{name}] resource definition is malformed")
    if not isinstance(resource.get("Type"), str):
        raise TemplateError(
            f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
        )
    for key in resource:
        if key not in RESOURCE_KEYS:
            raise TemplateError(f"Invalid template resource property '{key}'")
    if not isinstance(resource.get("Properties") or {}, dict):
        raise TemplateError(f"Template format error: [/Resources/{name}/Properties] Properties must be an object")
    for key, allowed in (("DeletionPolicy", DELETION_POLICIES), ("UpdateReplacePolicy", REPLACE_POLICIES)):
        policy = resource.get(key, "Delete")
        if isinstance(policy, str) and policy not in allowed:
            raise TemplateError(f"Template error: Unrecognized {key} {policy} for resource {name}")


def _judge_extensions(value: Any) -> None:
    """Refuse what AWS only knows with the AWS::LanguageExtensions transform."""
    if isinstance(value, list):
        for item in value:
            _judge_extensions(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in {"Fn::Length", "Fn::ToJsonString"} or str(key).startswith("Fn::ForEach"):
                raise TemplateError(
                    f"Template format error: {'::'.join(str(key).split('::')[:2])} requires the transform "
                    f"{LANGUAGE_EXTENSIONS}"
                )
            _judge_extensions(item)
