from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from seatrial.stack import graph
from seatrial.stack.graph import Bundle, GetAtt, If, NestedTemplate, Output, Parameter, Ref, Resource, Sub, Template
from tests.unit.stack.support import MATRIX, bundles

CHILD = Template(
    "child",
    "",
    resources={"Topic": Resource("AWS::SNS::Topic", {"TopicName": Ref("Name")})},
    parameters={"Name": Parameter("")},
    outputs={"Arn": Output("", Ref("Topic"))},
)


def bundle(*, child: Template = CHILD, passed: Any = None, outputs: dict[str, Output] | None = None) -> Bundle:
    stack = Resource(
        "AWS::CloudFormation::Stack",
        {"TemplateURL": NestedTemplate("child"), "Parameters": {"Name": "x"} if passed is None else passed},
    )
    return Bundle("app", "shop", Template("app", "", {"Child": stack}, outputs=outputs or {}), (child,))


def with_resource(resource: Resource) -> Bundle:
    return bundle(child=dataclasses.replace(CHILD, resources={**CHILD.resources, "T": resource}))


def with_properties(**properties: Any) -> Bundle:
    return with_resource(Resource("AWS::SNS::Topic", properties))


def test_a_bundle_that_hangs_together() -> None:
    graph.check(bundle(outputs={"Arn": Output("", GetAtt("Child", "Outputs.Arn"))}))


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (with_properties(TopicName=Ref("Nobody")), "nothing is called Nobody"),
        (with_properties(TopicName=[{"deep": graph.Noted(Ref("Nobody"), "why")}]), "nothing is called Nobody"),
        (with_properties(TopicName=Sub("a-${Nobody}")), "nothing is called Nobody"),
        (with_properties(TopicName=Sub("a-${Nobody.Arn}")), "nothing is called Nobody"),
        (with_properties(TopicName=Sub("${A}", (("A", Ref("Nobody")),))), "nothing is called Nobody"),
        (with_properties(TopicName=GetAtt("Name", "Arn")), "nothing is called Name"),
        (with_properties(TopicName=If("Never", "a", "b")), "no condition Never"),
        (bundle(passed={}), r"is passed \[\] and declares \['Name'\]"),
        (bundle(passed={"Name": "x", "More": "y"}), "is passed"),
        (bundle(outputs={"X": Output("", GetAtt("Child", "Outputs.Nothing"))}), "no output Outputs.Nothing"),
        (bundle(child=dataclasses.replace(CHILD, name="stranger")), "has no template child"),
        (
            bundle(
                child=dataclasses.replace(CHILD, parameters={"Name": Parameter(""), "Idle": Parameter("")}),
                passed={"Name": "x", "Idle": "y"},
            ),
            r"nothing uses the parameters \['Idle'\]",
        ),
        (
            with_resource(Resource("AWS::SNS::Topic", depends_on=("U",))),
            "T depends on U",
        ),
        (
            with_resource(Resource("AWS::SNS::Topic", condition="Never")),
            "no condition Never",
        ),
    ],
)
def test_a_bundle_that_does_not(broken: Bundle, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        graph.check(broken)


def test_text_that_only_looks_like_a_reference() -> None:
    graph.check(with_properties(TopicName=Sub("${!Literal}")))


@pytest.mark.parametrize("name", MATRIX)
def test_everything_that_an_app_imports_its_base_exports(name: str) -> None:
    base, app = bundles(**MATRIX[name])
    exported = {output.export for output in base.root.outputs.values()}
    imported = {
        value.name
        for template in app.templates
        for part in [
            *(resource.properties for resource in template.resources.values()),
            *(output.value for output in template.outputs.values()),
        ]
        for value in graph.values(part)
        if isinstance(value, graph.ImportValue)
    }
    assert imported <= exported
    assert imported
    assert len(exported) == len(base.root.outputs)
