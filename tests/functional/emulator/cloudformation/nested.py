"""A stack in a stack, as the tests of nested stacks and of change sets use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.functional.emulator.cloudformation.support import Bench

CHILD = """
Parameters:
  Text: {Type: String}
  Items: {Type: CommaDelimitedList, Default: 'a,b'}
  Topic: {Type: String, Default: first}
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Text}}
  T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Topic}}
Outputs:
  Name: {Value: !Ref P}
  Topic: {Value: !Ref T}
"""


PARENT = """
Parameters:
  Text: {Type: String, Default: one}
  Topic: {Type: String, Default: first}
  Kind: {Type: String, Default: String}
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: %s
      Parameters: {Text: !Ref Text, Topic: !Ref Topic, Items: [x, y]}
  After: {Type: AWS::SSM::Parameter, Properties: {Type: !Ref Kind, Value: !GetAtt Child.Outputs.Name}}
Outputs: {Name: {Value: !GetAtt Child.Outputs.Name}}
"""


def put(aws: Bench, key: str, body: str) -> str:
    aws.client("s3").put_object(Bucket="templates", Key=key, Body=body.encode())
    return f"{aws.endpoint}/templates/{key}"


def parameters(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": text} for key, text in values.items()]


def stored(aws: Bench, name: str) -> str:
    found: str = aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    return found


def topics(aws: Bench) -> set[str]:
    return {topic["TopicArn"].rsplit(":", 1)[-1] for topic in aws.client("sns").list_topics()["Topics"]}
