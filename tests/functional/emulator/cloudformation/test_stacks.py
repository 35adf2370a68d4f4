"""Stacks through boto3: creation, deletion, and everything about one that is not an update."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.emulator.cloudformation.stacks import BROKEN, TWO, parameters, refused, value

if TYPE_CHECKING:
    from tests.functional.emulator.cloudformation.support import Bench


def test_create_is_in_order_and_tells_every_step(aws: Bench) -> None:
    stack = aws.create("order", TWO)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert [(name, status) for name, status, _ in aws.events("order")] == [
        ("order", "CREATE_IN_PROGRESS"),
        ("First", "CREATE_IN_PROGRESS"),
        ("First", "CREATE_COMPLETE"),
        ("Second", "CREATE_IN_PROGRESS"),
        ("Second", "CREATE_COMPLETE"),
        ("order", "CREATE_COMPLETE"),
    ]
    first = aws.resources("order")["First"]["PhysicalResourceId"]
    assert first.startswith("order-First-")
    assert value(aws, "order", "Second") == f"after {first}"
    assert aws.outputs("order") == {"First": first, "Value": "one"}


def test_a_stack_is_answered_before_it_is_made_and_the_waiter_of_boto3_sees_its_end(aws: Bench) -> None:
    aws.cloudformation.create_stack(StackName="waited", TemplateBody=TWO)
    waiter = aws.cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName="waited", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert aws.stack("waited")["StackStatus"] == "CREATE_COMPLETE"


def test_a_failed_create_goes_back_in_reverse_order(aws: Bench) -> None:
    stack = aws.create("backwards", TWO.replace("Outputs:", BROKEN + "Outputs:"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = aws.events("backwards")
    failed = next(reason for name, status, reason in events if (name, status) == ("Third", "CREATE_FAILED"))
    assert "Nonsense is not a valid enum value" in failed
    deleted = [name for name, status, _ in events if status == "DELETE_COMPLETE"]
    assert deleted == ["Third", "Second", "First"]
    reasons = [reason for name, status, reason in events if status == "ROLLBACK_IN_PROGRESS"]
    assert reasons == ["The following resource(s) failed to create: [Third]. Rollback requested by user."]
    code, message = refused(aws.cloudformation.update_stack, StackName="backwards", TemplateBody=TWO)
    assert code == "ValidationError"
    assert message.endswith("is in ROLLBACK_COMPLETE state and can not be updated.")


def test_an_error_of_the_service_is_the_reason(aws: Bench) -> None:
    template = "Resources: {Rule: {Type: AWS::EC2::Subnet, Properties: {VpcId: vpc-none, CidrBlock: 10.0.0.0/24}}}"
    aws.create("no-vpc", template)
    (reason,) = [reason for name, status, reason in aws.events("no-vpc") if status == "CREATE_FAILED"]
    assert reason.startswith('Resource handler returned message: "VpcID vpc-none does not exist. (Service: Ec2, ')
    assert "HandlerErrorCode: NotFound" in reason


@pytest.mark.parametrize(
    ("request_", "status", "left"),
    [
        ({"DisableRollback": True}, "CREATE_FAILED", True),
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED", True),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE", False),
    ],
    ids=["DisableRollback", "DO_NOTHING", "DELETE"],
)
def test_what_happens_on_failure_is_chosen(aws: Bench, request_: dict[str, Any], status: str, left: bool) -> None:
    name = f"choice-{len(aws.engine.stacks.all())}"
    stack = aws.create(name, TWO.replace("Outputs:", BROKEN + "Outputs:"), **request_)
    assert stack["StackStatus"] == status
    first = aws.resources(stack["StackId"])["First"]["PhysicalResourceId"]
    found = aws.client("ssm").get_parameters(Names=[first])["Parameters"]
    assert bool(found) is left


def test_a_retained_resource_outlives_its_stack_and_only_some_outlive_a_failed_create(aws: Bench) -> None:
    template = """
Resources:
  Kept: {Type: AWS::SNS::Topic, DeletionPolicy: Retain}
  Tried: {Type: AWS::SNS::Topic, DeletionPolicy: RetainExceptOnCreate}
"""
    stack = aws.create(
        "retain",
        template + "  Bad: {Type: AWS::SSM::Parameter, DependsOn: [Kept, Tried], Properties: {Type: Bad, Value: x}}\n",
    )
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    left = {topic["TopicArn"].split(":")[-1].rsplit("-", 1)[0] for topic in aws.client("sns").list_topics()["Topics"]}
    assert "retain-Kept" in left
    assert "retain-Tried" not in left
    aws.create("retain2", template)
    aws.delete("retain2")
    left = {topic["TopicArn"].split(":")[-1].rsplit("-", 1)[0] for topic in aws.client("sns").list_topics()["Topics"]}
    assert {"retain2-Kept", "retain2-Tried"} <= left


def test_delete_runs_backwards_and_the_stack_is_only_found_by_its_id(aws: Bench) -> None:
    aws.create("gone", TWO)
    stack = aws.delete("gone")
    assert stack["StackStatus"] == "DELETE_COMPLETE"
    deleted = [name for name, status, _ in aws.events(stack["StackId"]) if status == "DELETE_COMPLETE"]
    assert deleted == ["Second", "First", "gone"]
    assert refused(aws.cloudformation.describe_stacks, StackName="gone") == (
        "ValidationError",
        "Stack with id gone does not exist",
    )
    aws.cloudformation.delete_stack(StackName="gone")


def test_a_bucket_that_is_not_empty_is_not_deleted_until_it_is_left_out(aws: Bench) -> None:
    template = "Resources: {B: {Type: AWS::S3::Bucket}, T: {Type: AWS::SNS::Topic}}"
    aws.create("bucket", template)
    bucket = aws.resources("bucket")["B"]["PhysicalResourceId"]
    aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"b")
    stack = aws.delete("bucket")
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [B]. "
    (reason,) = [
        reason for _, status, reason in aws.events("bucket") if status == "DELETE_FAILED" and "bucket" in reason
    ]
    assert "not empty" in reason
    assert aws.delete("bucket", RetainResources=["B"])["StackStatus"] == "DELETE_COMPLETE"
    aws.client("s3").head_bucket(Bucket=bucket)


def test_termination_protection(aws: Bench) -> None:
    aws.create("guarded", TWO, EnableTerminationProtection=True)
    code, message = refused(aws.cloudformation.delete_stack, StackName="guarded")
    assert (code, message) == (
        "ValidationError",
        "Stack [guarded] cannot be deleted while TerminationProtection is enabled",
    )
    aws.cloudformation.update_termination_protection(StackName="guarded", EnableTerminationProtection=False)
    assert aws.delete("guarded")["StackStatus"] == "DELETE_COMPLETE"


ROLE = """
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      %s
      AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: []}
"""


@pytest.mark.parametrize(
    ("name", "capabilities", "missing"),
    [
        ("", [], "CAPABILITY_IAM"),
        ("RoleName: named", ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM"),
    ],
)
def test_capabilities_are_asked_for(aws: Bench, name: str, capabilities: list[str], missing: str) -> None:
    answer = refused(
        aws.cloudformation.create_stack, StackName="caps", TemplateBody=ROLE % name, Capabilities=capabilities
    )
    assert answer == ("InsufficientCapabilitiesException", f"Requires capabilities : [{missing}]")


def test_an_import_of_nothing_fails_its_resource(aws: Bench) -> None:
    template = "Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !ImportValue nowhere}}}"
    assert aws.create("nowhere", template)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("P", "CREATE_FAILED", "No export named nowhere found.") in aws.events("nowhere")


def test_dynamic_references_reach_the_resource_and_not_the_stack(aws: Bench) -> None:
    aws.client("ssm").put_parameter(Name="/plain", Value="from ssm", Type="String")
    aws.client("ssm").put_parameter(Name="/secure", Value="from secure ssm", Type="SecureString")
    secret = aws.client("secretsmanager").create_secret(Name="dyn", SecretString=json.dumps({"password": "geheim"}))[
        "ARN"
    ]
    template = f"""
Resources:
  A: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: '{{{{resolve:ssm:/plain}}}}'}}}}
  B: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: '{{{{resolve:ssm-secure:/secure}}}}'}}}}
  C:
    Type: AWS::SSM::Parameter
    Properties: {{Type: String, Value: 'x-{{{{resolve:secretsmanager:{secret}:SecretString:password}}}}'}}
"""
    aws.create("dynamic", template)
    assert [value(aws, "dynamic", name) for name in "ABC"] == ["from ssm", "from secure ssm", "x-geheim"]
    events = aws.cloudformation.describe_stack_events(StackName="dynamic")["StackEvents"]
    assert "geheim" not in json.dumps(events, default=str)
    assert (
        refused(aws.cloudformation.update_stack, StackName="dynamic", TemplateBody=template)[1]
        == "No updates are to be performed."
    )


def test_a_property_that_no_call_takes_is_reported(aws: Bench, caplog: pytest.LogCaptureFixture) -> None:
    template = """
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: x, DeliveryStatusLogging: [{Protocol: sqs}]}}
  Repository: {Type: AWS::ECR::Repository, Properties: {EmptyOnDelete: true}}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      MetricsConfigurations: [{Id: all}]
"""
    aws.create("unapplied", template)
    assert sorted(aws.engine.unapplied()) == [
        ("unapplied", "Bucket", "MetricsConfigurations"),
        ("unapplied", "Topic", "DeliveryStatusLogging"),
    ]
    assert "DeliveryStatusLogging of Topic (AWS::SNS::Topic) in unapplied is not applied" in caplog.messages
    aws.update("unapplied", template.replace("DisplayName: x", "DisplayName: y"))
    assert len(aws.engine.unapplied()) == 2
    aws.delete("unapplied")
    assert aws.engine.unapplied() == []


def test_a_type_without_an_engine_is_kept_as_state_and_said_to_be(aws: Bench) -> None:
    template = """
Resources:
  Acl:
    Type: AWS::WAFv2::WebACL
    Properties:
      Scope: REGIONAL
      DefaultAction: {Allow: {}}
      VisibilityConfig: {CloudWatchMetricsEnabled: true, MetricName: x, SampledRequestsEnabled: true}
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Own: {Type: Custom::Thing, Properties: {ServiceToken: arn:x}}
Outputs: {Arn: {Value: !GetAtt Acl.Arn}, Handle: {Value: !Ref Handle}}
"""
    aws.create("state", template)
    outputs = aws.outputs("state")
    assert outputs["Arn"].startswith("arn:aws:wafv2:eu-west-1:123456789012:webacl/")
    assert outputs["Handle"].startswith("https://")
    reported = {(name, kind) for stack, name, kind in aws.engine.state_only() if stack == "state"}
    assert reported == {
        ("Acl", "AWS::WAFv2::WebACL"),
        ("Handle", "AWS::CloudFormation::WaitConditionHandle"),
        ("Own", "Custom::Thing"),
    }
    said = "Kept as state only: the emulator has no AWS::WAFv2::WebACL, nothing was made"
    assert ("Own", "CREATE_COMPLETE", said.replace("AWS::WAFv2::WebACL", "Custom::Thing")) in aws.events("state")
    assert ("Acl", "CREATE_COMPLETE", said) in aws.events("state")
    detail = aws.cloudformation.describe_stack_resource(StackName="state", LogicalResourceId="Acl")[
        "StackResourceDetail"
    ]
    assert detail["ResourceStatusReason"] == said
    assert aws.delete("state")["StackStatus"] == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            "Resources: {A: {Type: AWS::Nothing::Here}}",
            "Template format error: Unrecognized resource types: [AWS::Nothing::Here]",
        ),
        (
            "Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}, B: {Type: AWS::SNS::Topic, DependsOn: A}}",
            "Circular dependency between resources: [A, B]",
        ),
        (
            "Parameters: {P: {Type: String}}\nResources: {A: {Type: AWS::SNS::Topic}}",
            "Parameters: [P] must have values",
        ),
    ],
)
def test_what_is_refused_before_anything_begins(aws: Bench, template: str, message: str) -> None:
    assert refused(aws.cloudformation.create_stack, StackName="never", TemplateBody=template) == (
        "ValidationError",
        message,
    )
    assert refused(aws.cloudformation.describe_stacks, StackName="never")[0] == "ValidationError"


def test_a_name_is_taken_and_a_bad_name_refused(aws: Bench) -> None:
    aws.create("taken", TWO)
    again = refused(aws.cloudformation.create_stack, StackName="taken", TemplateBody=TWO)
    assert again == ("AlreadyExistsException", "Stack [taken] already exists")
    assert (
        "failed to satisfy constraint" in refused(aws.cloudformation.create_stack, StackName="a_b", TemplateBody=TWO)[1]
    )


def test_no_echo_is_masked_and_tags_reach_the_resources(aws: Bench) -> None:
    template = """
Parameters: {Secret: {Type: String, NoEcho: true}}
Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Secret}}, Q: {Type: AWS::SQS::Queue}}
"""
    tags = [{"Key": "team", "Value": "parts"}]
    stack = aws.create("masked", template, Parameters=parameters(Secret="geheim"), Tags=tags)
    assert stack["Parameters"] == [{"ParameterKey": "Secret", "ParameterValue": "****"}]
    assert stack["Tags"] == tags
    queue = aws.resources("masked")["Q"]["PhysicalResourceId"]
    assert aws.client("sqs").list_queue_tags(QueueUrl=queue)["Tags"] == {"team": "parts"}
    name = aws.resources("masked")["P"]["PhysicalResourceId"]
    listed = aws.client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    assert listed == tags


def test_events_come_in_pages_newest_first(aws: Bench) -> None:
    many = "".join(
        f"  P{number}: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: x}}}}\n" for number in range(60)
    )
    aws.create("many", "Resources:\n" + many)
    first = aws.cloudformation.describe_stack_events(StackName="many")
    assert len(first["StackEvents"]) == 100
    assert first["StackEvents"][0]["ResourceStatus"] == "CREATE_COMPLETE"
    rest = aws.cloudformation.describe_stack_events(StackName="many", NextToken=first["NextToken"])["StackEvents"]
    assert len(rest) == 22
    assert rest[-1]["LogicalResourceId"] == "many"


def test_templates_are_given_back_summed_up_and_validated(aws: Bench) -> None:
    aws.create("template", TWO)
    assert aws.cloudformation.get_template(StackName="template")["TemplateBody"] == TWO
    summary = aws.cloudformation.get_template_summary(TemplateBody=ROLE % "RoleName: x")
    assert summary["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert summary["ResourceTypes"] == ["AWS::IAM::Role"]
    validated = aws.cloudformation.validate_template(TemplateBody=TWO)
    assert [entry["ParameterKey"] for entry in validated["Parameters"]] == ["Text", "Name"]
    code, message = refused(aws.cloudformation.validate_template, TemplateBody="Resources: {A: [")
    assert code == "ValidationError"
    assert "YAML not well-formed. (line 1" in message


def test_stacks_are_listed_by_status_with_the_deleted(aws: Bench) -> None:
    aws.create("listed", TWO)
    identity = aws.delete("listed")["StackId"]
    found = aws.cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert identity in {stack["StackId"] for stack in found}
    assert identity not in {stack["StackId"] for stack in aws.cloudformation.describe_stacks()["Stacks"]}
