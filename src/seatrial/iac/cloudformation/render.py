"""Templates of the graph as files of YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.iac.cloudformation.yaml import document
from seatrial.stack import graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seatrial.stack.graph import Value

_HEADER = "Written by `seatrial synth` from seatrial.toml: change it there, the next synth writes this file anew."


def files(bundles: Iterable[graph.Bundle]) -> dict[str, str]:
    """Return relative path → YAML text, for every template of the bundles.

    A bundle's files lie in a directory called like its layer; nested templates are named by relative path, which is
    what ``aws cloudformation package`` and ``deploy`` want.
    """
    return {
        f"{bundle.layer}/{template.name}.yaml": text(template, lambda name: f"./{name}.yaml")
        for bundle in bundles
        for template in bundle.templates
    }


def text(template: graph.Template, url: Callable[[str], str]) -> str:
    """Return a template as YAML. ``url`` gives the TemplateURL of a nested template by its name."""
    sections: dict[str, Value] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": template.description,
    }
    if template.parameters:
        sections["Parameters"] = {name: _parameter(parameter) for name, parameter in template.parameters.items()}
    if template.conditions:
        sections["Conditions"] = dict(template.conditions)
    sections["Resources"] = {name: _resource(resource, url) for name, resource in template.resources.items()}
    if template.outputs:
        sections["Outputs"] = {name: _output(output) for name, output in template.outputs.items()}
    return document(sections, header=_HEADER)


def _parameter(parameter: graph.Parameter) -> dict[str, Value]:
    body: dict[str, Value] = {"Type": parameter.type, "Description": parameter.description}
    if parameter.default is not None:
        body["Default"] = parameter.default
    if parameter.allowed:
        body["AllowedValues"] = list(parameter.allowed)
    return body


def _resource(resource: graph.Resource, url: Callable[[str], str]) -> Value:
    body: dict[str, Value] = {"Type": resource.type}
    if resource.condition is not None:
        body["Condition"] = resource.condition
    if resource.depends_on:
        body["DependsOn"] = list(resource.depends_on)
    if resource.deletion_policy is not None:
        body["DeletionPolicy"] = resource.deletion_policy
    if resource.update_replace_policy is not None:
        body["UpdateReplacePolicy"] = resource.update_replace_policy
    if resource.properties:
        body["Properties"] = {
            name: url(value.name) if isinstance(value, graph.NestedTemplate) else value
            for name, value in resource.properties.items()
        }
    return body if resource.why is None else graph.Noted(body, resource.why)


def _output(output: graph.Output) -> dict[str, Value]:
    body: dict[str, Value] = {"Description": output.description, "Value": output.value}
    if output.export is not None:
        body["Export"] = {"Name": output.export}
    return body
