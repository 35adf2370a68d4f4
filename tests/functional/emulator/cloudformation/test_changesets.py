"""Change sets through boto3: what they announce, and how they look into nested stacks."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.emulator.cloudformation.nested import CHILD, PARENT, parameters, put, topics
from tests.functional.emulator.cloudformation.support import REGION, Bench


@pytest.fixture(scope="module")
def aws(aws: Bench) -> Bench:
    aws.client("s3").create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
    return aws


NETWORK = """
Parameters: {Block: {Type: String, Default: 10.0.0.0/16}, Words: {Type: String, Default: one}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Block}}
  Net:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: !Select [0, !Cidr [!GetAtt Vpc.CidrBlock, 1, 8]]}
  Note: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Sub '${Words} in ${Net}'}}
  Old: {Type: AWS::SNS::Topic}
"""


def change_set(
    aws: Bench, stack: str, name: str, template: str, kind: str = "UPDATE", **request: Any
) -> dict[str, Any]:
    aws.cloudformation.create_change_set(
        StackName=stack, ChangeSetName=name, TemplateBody=template, ChangeSetType=kind, **request
    )
    aws.cloudformation.get_waiter("change_set_create_complete").wait(
        StackName=stack, ChangeSetName=name, WaiterConfig={"Delay": 1}
    )
    found: dict[str, Any] = aws.cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
    return found


def changes(found: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    entries = [entry["ResourceChange"] for entry in found["Changes"]]
    return {entry["LogicalResourceId"]: (entry["Action"], entry.get("Replacement")) for entry in entries}


def test_a_change_set_creates_a_stack(aws: Bench) -> None:
    found = change_set(aws, "reviewed", "first", NETWORK, "CREATE")
    assert aws.stack("reviewed")["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert changes(found) == dict.fromkeys(("Vpc", "Net", "Note", "Old"), ("Add", None))
    aws.cloudformation.execute_change_set(StackName="reviewed", ChangeSetName="first")
    assert aws.settled("reviewed")["StackStatus"] == "CREATE_COMPLETE"
    aws.delete("reviewed")


def test_a_change_set_announces_what_the_update_then_does(aws: Bench) -> None:
    aws.create("announced", NETWORK)
    before = aws.resources("announced")
    new = NETWORK.replace("  Old: {Type: AWS::SNS::Topic}\n", "  New: {Type: AWS::SNS::Topic}\n")
    found = change_set(aws, "announced", "c", new, Parameters=parameters(Block="10.9.0.0/16"))
    assert changes(found) == {
        "Vpc": ("Modify", "True"),
        "Net": ("Modify", "Conditional"),
        "Note": ("Modify", "False"),
        "New": ("Add", None),
        "Old": ("Remove", None),
    }
    details = {
        entry["ResourceChange"]["LogicalResourceId"]: entry["ResourceChange"]["Details"] for entry in found["Changes"]
    }
    assert details["Vpc"] == [
        {
            "Target": {"Attribute": "Properties", "Name": "CidrBlock", "RequiresRecreation": "Always"},
            "Evaluation": "Static",
            "ChangeSource": "ParameterReference",
            "CausingEntity": "Block",
        }
    ]
    assert {(d["Target"]["Name"], d["CausingEntity"]) for d in details["Net"]} == {
        ("VpcId", "Vpc"),
        ("CidrBlock", "Vpc.CidrBlock"),
    }
    aws.cloudformation.execute_change_set(ChangeSetName=found["ChangeSetId"])
    assert aws.settled("announced")["StackStatus"] == "UPDATE_COMPLETE"
    after = aws.resources("announced")
    replaced = {
        name
        for name in after
        if name in before and after[name]["PhysicalResourceId"] != before[name]["PhysicalResourceId"]
    }
    assert replaced == {"Vpc", "Net"}
    vpcs = {vpc["VpcId"] for vpc in aws.client("ec2").describe_vpcs()["Vpcs"]}
    assert before["Vpc"]["PhysicalResourceId"] not in vpcs
    executed = aws.cloudformation.describe_change_set(ChangeSetName=found["ChangeSetId"])
    assert executed["ExecutionStatus"] == "EXECUTE_COMPLETE"
    with pytest.raises(ClientError, match="cannot be executed in its current execution status"):
        aws.cloudformation.execute_change_set(ChangeSetName=found["ChangeSetId"])
    aws.delete("announced")


def test_a_change_set_without_changes_fails_as_deploy_expects(aws: Bench) -> None:
    aws.create("quiet", NETWORK)
    aws.cloudformation.create_change_set(StackName="quiet", ChangeSetName="c", TemplateBody=NETWORK)
    found = aws.cloudformation.describe_change_set(StackName="quiet", ChangeSetName="c")
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"].startswith("The submitted information didn't contain changes.")
    assert [
        entry["ChangeSetName"] for entry in aws.cloudformation.list_change_sets(StackName="quiet")["Summaries"]
    ] == ["c"]
    aws.cloudformation.delete_change_set(StackName="quiet", ChangeSetName="c")
    with pytest.raises(ClientError) as missing:
        aws.cloudformation.describe_change_set(StackName="quiet", ChangeSetName="c")
    assert missing.value.response["Error"]["Code"] in {"ChangeSetNotFound", "ChangeSetNotFoundException"}
    aws.delete("quiet")


def test_a_nested_stack_is_in_every_change_set_of_its_parent(aws: Bench) -> None:
    """As on AWS: what the nested template says by now is only known when it is read."""
    url = put(aws, "automatic.yaml", CHILD)
    aws.create("automatic", PARENT % url, Parameters=parameters(Topic="automatic"))
    found = change_set(aws, "automatic", "c", PARENT % url, Parameters=parameters(Topic="automatic"))
    child = next(e["ResourceChange"] for e in found["Changes"] if e["ResourceChange"]["LogicalResourceId"] == "Child")
    assert child["Details"][0]["ChangeSource"] == "Automatic"
    assert child["Replacement"] == "False"
    aws.delete("automatic")


LEAF = """
Parameters: {Topic: {Type: String}, Used: {Type: String, Default: nothing}}
Conditions: {Told: !Not [!Equals [!Ref Used, nothing]]}
Resources:
  Subject: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Topic}}
  Note: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Sub 'about ${Used}'}}
  Told: {Condition: Told, Type: AWS::SSM::Parameter, Properties: {Type: String, Value: told}}
Outputs: {Subject: {Value: !Ref Subject}}
"""


MIDDLE = """
Parameters: {Topic: {Type: String}}
Resources:
  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: %s, Parameters: {Topic: !Ref Topic}}}
Outputs: {Subject: {Value: !GetAtt Inner.Outputs.Subject}}
"""


TREE = """
Parameters: {Topic: {Type: String}, Other: {Type: String}}
Resources:
  Upper: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: %s, Parameters: {Topic: !Ref Topic}}}
  Calm: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: %s, Parameters: {Topic: !Ref Other}}}
"""


USER = """
  User:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: %s
      Parameters: {Topic: !Sub '${Other}-user', Used: !GetAtt Upper.Outputs.Subject}
"""


def tree(aws: Bench, name: str) -> tuple[str, str]:
    """Create a stack with nested stacks in two levels. Return its template and the URL of the innermost."""
    leaf = put(aws, f"{name}-leaf.yaml", LEAF)
    middle = put(aws, f"{name}-middle.yaml", MIDDLE % leaf)
    template = TREE % (middle, leaf)
    assert aws.create(name, template, Parameters=named(name))["StackStatus"] == "CREATE_COMPLETE"
    return template, leaf


def named(name: str, topic: str = "first") -> list[dict[str, str]]:
    return parameters(Topic=f"{name}-{topic}", Other=f"{name}-other")


def described(aws: Bench, identity: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.cloudformation.describe_change_set(ChangeSetName=identity)
    return found


def inner(found: dict[str, Any], name: str) -> str:
    entries = [entry["ResourceChange"] for entry in found["Changes"]]
    (identity,) = [entry["ChangeSetId"] for entry in entries if entry["LogicalResourceId"] == name]
    return str(identity)


def test_a_change_set_looks_into_nested_stacks(aws: Bench) -> None:
    template, _ = tree(aws, "deep")
    request: dict[str, Any] = {"Parameters": named("deep", "second"), "IncludeNestedStacks": True}
    root = change_set(aws, "deep", "c", template, **request)
    assert root["IncludeNestedStacks"] is True
    assert "ParentChangeSetId" not in root
    assert changes(root) == {"Upper": ("Modify", "False")}  # and not Calm, in which nothing changes
    upper = described(aws, inner(root, "Upper"))
    assert upper["StackId"] == aws.resources("deep")["Upper"]["PhysicalResourceId"]
    assert (upper["ParentChangeSetId"], upper["RootChangeSetId"]) == (root["ChangeSetId"],) * 2
    leaf = described(aws, inner(upper, "Inner"))
    assert (leaf["ParentChangeSetId"], leaf["RootChangeSetId"]) == (upper["ChangeSetId"], root["ChangeSetId"])
    assert leaf["IncludeNestedStacks"] is True
    assert changes(leaf) == {"Subject": ("Modify", "True")}
    (listed,) = aws.cloudformation.list_change_sets(StackName=leaf["StackId"])["Summaries"]
    assert listed["ParentChangeSetId"] == upper["ChangeSetId"]

    aws.cloudformation.execute_change_set(ChangeSetName=root["ChangeSetId"])
    assert aws.settled("deep")["StackStatus"] == "UPDATE_COMPLETE"
    assert {"deep-second"} == topics(aws) & {"deep-first", "deep-second"}
    for each in (root, upper, leaf):
        assert described(aws, each["ChangeSetId"])["ExecutionStatus"] == "EXECUTE_COMPLETE"

    aws.cloudformation.create_change_set(StackName="deep", ChangeSetName="none", TemplateBody=template, **request)
    quiet = aws.cloudformation.describe_change_set(StackName="deep", ChangeSetName="none")
    assert (quiet["Status"], quiet["Changes"]) == ("FAILED", [])
    aws.delete("deep")
    with pytest.raises(ClientError, match="does not exist"):
        described(aws, root["ChangeSetId"])


def test_nested_change_sets_are_executed_and_deleted_from_the_root(aws: Bench) -> None:
    template, _ = tree(aws, "rooted")
    root = change_set(aws, "rooted", "c", template, Parameters=named("rooted", "second"), IncludeNestedStacks=True)
    upper = inner(root, "Upper")
    leaf = inner(described(aws, upper), "Inner")
    for refused in (aws.cloudformation.execute_change_set, aws.cloudformation.delete_change_set):
        with pytest.raises(ClientError, match="its root change set"):
            refused(ChangeSetName=leaf)
    aws.cloudformation.delete_change_set(ChangeSetName=root["ChangeSetId"])
    for gone in (upper, leaf):
        with pytest.raises(ClientError, match="does not exist"):
            described(aws, gone)
    aws.delete("rooted")


def test_what_a_nested_stack_is_told_is_not_known_before_the_change(aws: Bench) -> None:
    """A value from another nested stack that changes: its user may change, and no condition takes it for a text."""
    template, leaf = tree(aws, "told")
    full = template + USER % leaf
    aws.update("told", full, Parameters=named("told"))
    root = change_set(aws, "told", "c", full, Parameters=named("told", "second"), IncludeNestedStacks=True)
    assert changes(root) == {"Upper": ("Modify", "False"), "User": ("Modify", "False")}
    user = described(aws, inner(root, "User"))
    assert changes(user) == {"Note": ("Modify", "False")}
    (detail,) = user["Changes"][0]["ResourceChange"]["Details"]
    assert (detail["Evaluation"], detail["ChangeSource"], detail["CausingEntity"]) == (
        "Dynamic",
        "ParameterReference",
        "Used",
    )
    (used,) = [each["ParameterValue"] for each in user["Parameters"] if each["ParameterKey"] == "Used"]
    assert used.startswith("{{IntrinsicFunction:")
    aws.delete("told")


def test_a_nested_stack_to_be_created_is_in_review_until_then(aws: Bench) -> None:
    template, leaf = tree(aws, "fresh")
    full = template + USER % leaf
    request: dict[str, Any] = {"Parameters": named("fresh"), "IncludeNestedStacks": True}
    first = change_set(aws, "fresh", "first", full, **request)
    assert changes(first) == {"User": ("Add", None)}
    user = described(aws, inner(first, "User"))
    assert changes(user) == dict.fromkeys(("Subject", "Note", "Told"), ("Add", None))
    assert aws.stack(user["StackId"])["StackStatus"] == "REVIEW_IN_PROGRESS"
    aws.cloudformation.delete_change_set(ChangeSetName=first["ChangeSetId"])
    with pytest.raises(ClientError, match="does not exist"):
        aws.stack(user["StackId"])
    second = change_set(aws, "fresh", "second", full, **request)
    aws.cloudformation.execute_change_set(ChangeSetName=second["ChangeSetId"])
    assert aws.settled("fresh")["StackStatus"] == "UPDATE_COMPLETE"
    assert aws.resources("fresh")["User"]["PhysicalResourceId"] == user["StackId"]
    assert aws.stack(user["StackId"])["StackStatus"] == "CREATE_COMPLETE"
    aws.delete("fresh")


def test_a_nested_change_set_that_fails_fails_those_around_it(aws: Bench) -> None:
    template, _ = tree(aws, "wrong")
    put(aws, "wrong-leaf.yaml", LEAF.replace("!Ref Used, nothing", "!Ref Nobody, nothing"))
    aws.cloudformation.create_change_set(
        StackName="wrong", ChangeSetName="c", TemplateBody=template, Parameters=named("wrong"), IncludeNestedStacks=True
    )
    root = aws.cloudformation.describe_change_set(StackName="wrong", ChangeSetName="c")
    upper = described(aws, inner(root, "Upper"))
    leaf = described(aws, inner(upper, "Inner"))
    assert {each["Status"] for each in (root, upper, leaf)} == {"FAILED"}
    assert root["StatusReason"] == (
        f"Nested change set {upper['ChangeSetId']} was not successfully created: Currently in FAILED."
    )
    assert leaf["ChangeSetId"] in upper["StatusReason"]
    assert "Nobody" in leaf["StatusReason"]
    with pytest.raises(ClientError, match="cannot be executed"):
        aws.cloudformation.execute_change_set(ChangeSetName=root["ChangeSetId"])
    aws.delete("wrong")
