"""Templates and shorthands that the tests of stacks and of their updates share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.functional.emulator.cloudformation.support import Bench

TWO = """
Parameters: {Text: {Type: String, Default: one}, Name: {Type: String, Default: ''}}
Conditions: {Named: !Not [!Equals [!Ref Name, '']]}
Resources:
  First:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: !Ref Text, Name: !If [Named, !Ref Name, !Ref AWS::NoValue]}
  Second: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Sub 'after ${First}'}}
Outputs:
  First: {Value: !Ref First}
  Value: {Value: !GetAtt First.Value}
"""


#: A third resource that SSM refuses: its type needs a value of another form.
BROKEN = """
  Third: {Type: AWS::SSM::Parameter, DependsOn: Second, Properties: {Type: Nonsense, Value: x}}
"""


def value(aws: Bench, stack: str, logical_id: str) -> str:
    name = aws.resources(stack)[logical_id]["PhysicalResourceId"]
    found: str = aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    return found


def parameters(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": text} for key, text in values.items()]


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]
