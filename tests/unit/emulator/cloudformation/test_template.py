"""Reading templates: short tags, dates, and format errors in AWS's words."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.graph import judge_references
from seatrial.emulator.cloudformation.template import parse, read

TOPIC = "  Topic: {Type: AWS::SNS::Topic}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
        ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
        ("!Sub 'x${A}'", {"Fn::Sub": "x${A}"}),
        ("!GetAZs {Ref: 'AWS::Region'}", {"Fn::GetAZs": {"Ref": "AWS::Region"}}),
        ("[!Select [0, !GetAZs ''], !Base64 a]", [{"Fn::Select": [0, {"Fn::GetAZs": ""}]}, {"Fn::Base64": "a"}]),
        ("!Condition A", {"Condition": "A"}),
        ("Version: 2012-10-17", {"Version": "2012-10-17"}),
        ('{"a": {"Ref": "B"}}', {"a": {"Ref": "B"}}),
        ("{a: !Ref B}", {"a": {"Ref": "B"}}),
    ],
)
def test_yaml_and_json(text: str, expected: Any) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources:\n  A: [", "Template format error: YAML not well-formed. (line 2, column 7)"),
        ('{"Resources": {]}', "Template format error: JSON not well-formed. (line 1, column 16)"),
        ("just text", "Template format error: unsupported structure."),
        ("Resources: {}", "Template format error: At least one Resources member must be defined."),
        ("Nonsense: 1\nResources:\n" + TOPIC, "Invalid template property or properties [Nonsense]"),
        ("Resources: {A: {Properties: {}}}", "[/Resources/A] Every Resources object must contain a Type member."),
        ("Resources: {a-b: {Type: AWS::SNS::Topic}}", "Template format error: Resource name a-b is non alphanumeric."),
        ("Resources: {A: {Type: AWS::SNS::Topic, Propertys: {}}}", "Invalid template resource property 'Propertys'"),
        ("Resources: {A: {Type: AWS::SNS::Topic, DeletionPolicy: Keep}}", "Unrecognized DeletionPolicy Keep"),
        ("Parameters: {P: {Default: 1}}\nResources:\n" + TOPIC, "must contain a Type attribute"),
        ("Parameters: {P: {Type: Text}}\nResources:\n" + TOPIC, "Unrecognized parameter type: Text"),
        ("Outputs: {O: {Description: x}}\nResources:\n" + TOPIC, "must contain a Value object"),
        ("Transform: AWS::Serverless-2016-10-31\nResources:\n" + TOPIC, "is not run by the emulator"),
        (
            "AWSTemplateFormatVersion: 2011-01-01\nResources:\n" + TOPIC,
            "unsupported value for AWSTemplateFormatVersion",
        ),
        ("Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Length [a]}}}", "requires the transform"),
    ],
)
def test_format_errors(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as refused:
        read(text)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Resources: {A: {Type: T, Properties: {X: !Ref Gone}}}",
            "Unresolved resource dependencies [Gone] in the Resources block",
        ),
        (
            "Resources: {A: {Type: T, DependsOn: Gone}}",
            "Unresolved resource dependencies [Gone] in the Resources block",
        ),
        ("Resources: {A: {Type: T, Properties: {X: !Sub '${Gone}'}}}", "Unresolved resource dependencies [Gone]"),
        (
            "Resources: {A: {Type: T, Properties: {X: !GetAtt Gone.Arn}}}",
            "Fn::GetAtt references undefined resource Gone",
        ),
        ("Resources: {A: {Type: T, Condition: Gone}}", "Unresolved condition dependency Gone"),
        ("Resources: {A: {Type: T, Properties: {X: !If [Gone, 1, 2]}}}", "Unresolved condition dependency Gone"),
        ("Resources: {A: {Type: T}}\nOutputs: {O: {Value: !Ref Gone}}", "[Gone] in the Outputs block"),
        (
            "Conditions: {C: !Equals [!Ref A, 1]}\nResources: {A: {Type: T}}",
            "Cannot reference resources in the Conditions block",
        ),
        ("Conditions: {C: !Not [!Condition D]}\nResources: {A: {Type: T}}", "Unresolved condition dependency D"),
        (
            "Conditions: {C: !Not [!Condition D], D: !Not [!Condition C]}\nResources: {A: {Type: T}}",
            "Circular dependency between conditions: [C, D]",
        ),
    ],
)
def test_references_to_what_is_not_there(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as refused:
        judge_references(read(text))
    assert message in str(refused.value)


def test_extensions_are_there_with_their_transform() -> None:
    text = "Transform: AWS::LanguageExtensions\nResources: {A: {Type: T, Properties: {X: !Length [a]}}}"
    assert read(text).transforms == ("AWS::LanguageExtensions",)
