"""Nested stacks through boto3 and the AWS CLI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.functional.emulator.cloudformation.nested import CHILD, PARENT, parameters, put, stored, topics
from tests.functional.emulator.cloudformation.support import REGION, Bench


@pytest.fixture(scope="module")
def aws(aws: Bench) -> Bench:
    aws.client("s3").create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
    return aws


def test_a_nested_stack_is_updated_in_place_and_deleted_with_its_parent(aws: Bench) -> None:
    put(aws, "child.yaml", CHILD)
    parent = PARENT % "https://templates.s3.eu-west-1.amazonaws.com/child.yaml"
    assert aws.create("family", parent)["StackStatus"] == "CREATE_COMPLETE"
    child = aws.resources("family")["Child"]["PhysicalResourceId"]
    name = aws.outputs("family")["Name"]
    described = aws.stack(child)
    assert described["StackName"].startswith("family-Child-")
    assert described["ParentId"] == described["RootId"] == aws.stack("family")["StackId"]
    assert stored(aws, name) == "one"

    assert aws.update("family", Parameters=parameters(Text="two"))["StackStatus"] == "UPDATE_COMPLETE"
    assert aws.resources("family")["Child"]["PhysicalResourceId"] == child
    assert aws.stack(child)["StackStatus"] == "UPDATE_COMPLETE"
    assert aws.outputs("family")["Name"] == name
    assert stored(aws, name) == "two"

    aws.delete("family")
    assert aws.stack(child)["StackStatus"] == "DELETE_COMPLETE"


def test_a_changed_template_behind_the_same_url_is_seen(aws: Bench) -> None:
    url = put(aws, "moving.yaml", CHILD)
    aws.create("moving", PARENT % url)
    put(aws, "moving.yaml", CHILD.replace("Value: !Ref Text}", "Value: !Sub 'now ${Text}'}"))
    assert aws.update("moving")["StackStatus"] == "UPDATE_COMPLETE"
    assert stored(aws, aws.outputs("moving")["Name"]) == "now one"
    aws.delete("moving")


def test_a_parents_failure_takes_the_nested_update_back_even_a_replacement(aws: Bench) -> None:
    """The nested stack deletes nothing before its parent has succeeded."""
    url = put(aws, "undone.yaml", CHILD)
    aws.create("undone", PARENT % url, Parameters=parameters(Topic="undone-first"))
    child = aws.resources("undone")["Child"]["PhysicalResourceId"]
    name = aws.outputs("undone")["Name"]
    stack = aws.update("undone", Parameters=parameters(Text="two", Topic="undone-second", Kind="Nonsense"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.stack(child)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stored(aws, name) == "one"
    assert "undone-first" in topics(aws)
    assert "undone-second" not in topics(aws)
    aws.delete("undone")


def test_a_childs_failure_is_the_parents(aws: Bench) -> None:
    bad = CHILD.replace("Type: String, Value: !Ref Text", "Type: Nonsense, Value: !Ref Text")
    url = put(aws, "bad.yaml", bad)
    stack = aws.create("bad", PARENT % url)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    (reason,) = [reason for name, status, reason in aws.events("bad") if (name, status) == ("Child", "CREATE_FAILED")]
    assert reason.startswith("Embedded stack arn:aws:cloudformation:")
    assert reason.endswith("was not successfully created: The following resource(s) failed to create: [P].")
    put(aws, "good.yaml", CHILD)
    aws.create("good", PARENT % f"{aws.endpoint}/templates/good.yaml")
    put(aws, "good.yaml", bad)
    assert aws.update("good")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    (reason,) = [reason for name, status, reason in aws.events("good") if (name, status) == ("Child", "UPDATE_FAILED")]
    assert "was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason" in reason
    aws.delete("good")


def test_a_template_that_is_not_there(aws: Bench) -> None:
    with pytest.raises(ClientError, match="S3 error: The specified key does not exist"):
        aws.cloudformation.create_stack(StackName="none", TemplateURL=f"{aws.endpoint}/templates/none.yaml")
    with pytest.raises(ClientError, match="TemplateURL must be a supported URL"):
        aws.cloudformation.create_stack(StackName="none", TemplateURL="https://example.com/t.yaml")


def test_the_aws_cli_packages_and_deploys_nested_templates(aws: Bench, tmp_path: Path) -> None:
    """``deploy`` looks at a stack every 30 seconds, so only one is waited for here."""
    environment = {**os.environ, "AWS_ENDPOINT_URL": aws.endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": ""}
    (tmp_path / "child.yaml").write_text(CHILD)
    (tmp_path / "parent.yaml").write_text(PARENT % "./child.yaml")
    program = str(Path(sys.executable).parent / "aws")

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [program, "cloudformation", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    packaged = str(tmp_path / "packaged.yaml")
    run(
        "package",
        "--template-file",
        str(tmp_path / "parent.yaml"),
        "--s3-bucket",
        "templates",
        "--output-template-file",
        packaged,
    )
    said = run(
        "deploy",
        "--template-file",
        packaged,
        "--stack-name",
        "by-cli",
        "--parameter-overrides",
        "Text=cli",
        "Topic=cli",
    )
    assert "Successfully created/updated stack - by-cli" in said
    assert stored(aws, aws.outputs("by-cli")["Name"]) == "cli"

    flat = "Resources: {T: {Type: AWS::SNS::Topic}}"
    (tmp_path / "flat.yaml").write_text(flat)
    aws.create("flat-cli", flat)
    said = run(
        "deploy",
        "--template-file",
        str(tmp_path / "flat.yaml"),
        "--stack-name",
        "flat-cli",
        "--no-fail-on-empty-changeset",
    )
    assert "No changes to deploy. Stack flat-cli is up to date" in said
