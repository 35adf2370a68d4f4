"""Updates of stacks through boto3: in place, by replacement, failing, going back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.functional.emulator.cloudformation.stacks import BROKEN, TWO, parameters, refused, value

if TYPE_CHECKING:
    import pytest

    from tests.functional.emulator.cloudformation.support import Bench


def test_update_in_place_changes_what_changed_and_nothing_else(aws: Bench) -> None:
    aws.create("place", TWO)
    before = aws.resources("place")
    stack = aws.update("place", Parameters=parameters(Text="two"))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    after = aws.resources("place")
    assert {name: entry["PhysicalResourceId"] for name, entry in after.items()} == {
        name: entry["PhysicalResourceId"] for name, entry in before.items()
    }
    assert value(aws, "place", "First") == "two"
    assert aws.outputs("place")["Value"] == "two"
    touched = [name for name, status, _ in aws.events("place") if status.startswith("UPDATE_IN_PROGRESS")]
    assert touched == ["place", "First"]
    statuses = [status for name, status, _ in aws.events("place") if name == "place"]
    assert statuses[2:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]


def test_replacement_creates_before_it_deletes_and_carries_to_what_refers_to_it(aws: Bench) -> None:
    aws.create("replace", TWO)
    before = aws.resources("replace")["First"]["PhysicalResourceId"]
    aws.update("replace", Parameters=parameters(Name="/new/name"))
    assert aws.resources("replace")["First"]["PhysicalResourceId"] == "/new/name"
    assert value(aws, "replace", "Second") == "after /new/name"
    assert not aws.client("ssm").get_parameters(Names=[before])["Parameters"]
    events = aws.events("replace")
    start = next(
        index for index, event in enumerate(events) if event[1] == "UPDATE_IN_PROGRESS" and event[0] == "First"
    )
    assert "requires the creation of a new physical resource" in events[start][2]
    names = [(name, status) for name, status, _ in events[start:]]
    assert names.index(("Second", "UPDATE_COMPLETE")) < names.index(("First", "DELETE_COMPLETE"))


def test_a_custom_name_is_in_the_way_of_a_replacement(aws: Bench) -> None:
    group = "Resources: {G: {Type: AWS::EC2::SecurityGroup, Properties: {GroupName: same, GroupDescription: %s}}}"
    aws.create("custom-name", group % "one")
    stack = aws.update("custom-name", group % "two")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    (reason,) = [reason for _, status, reason in aws.events("custom-name") if status == "UPDATE_FAILED"]
    assert "cannot update a stack when a custom-named resource requires replacing. Rename same" in reason


def test_a_failed_update_restores_the_previous_properties_and_deletes_what_was_new(aws: Bench) -> None:
    aws.create("undo", TWO)
    before = aws.resources("undo")
    new = TWO.replace(
        "Outputs:", "  Fourth: {Type: AWS::SNS::Topic}\n" + BROKEN.replace("Second", "[Second, Fourth]") + "Outputs:"
    )
    stack = aws.update("undo", new, Parameters=parameters(Text="two"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert value(aws, "undo", "First") == "one"
    assert aws.outputs("undo")["Value"] == "one"
    assert aws.resources("undo").keys() == before.keys()
    assert not [topic for topic in aws.client("sns").list_topics()["Topics"] if "undo-Fourth" in topic["TopicArn"]]
    statuses = [status for name, status, _ in aws.events("undo") if name == "undo"]
    assert statuses[2:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert aws.update("undo", TWO, Parameters=parameters(Text="three"))["StackStatus"] == "UPDATE_COMPLETE"


def test_a_failed_update_goes_back_over_a_replacement(aws: Bench) -> None:
    aws.create("undo-replace", TWO)
    before = aws.resources("undo-replace")["First"]["PhysicalResourceId"]
    new = TWO.replace("Outputs:", BROKEN + "Outputs:")
    stack = aws.update("undo-replace", new, Parameters=parameters(Name="/undo/new"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.resources("undo-replace")["First"]["PhysicalResourceId"] == before
    assert value(aws, "undo-replace", "Second") == f"after {before}"
    assert not aws.client("ssm").get_parameters(Names=["/undo/new"])["Parameters"]


def test_an_update_may_be_left_where_it_failed(aws: Bench) -> None:
    aws.create("keep", TWO)
    stack = aws.update(
        "keep", TWO.replace("Outputs:", BROKEN + "Outputs:"), Parameters=parameters(Text="two"), DisableRollback=True
    )
    assert stack["StackStatus"] == "UPDATE_FAILED"
    assert value(aws, "keep", "First") == "two"


def test_what_failed_and_was_kept_is_made_by_the_next_update(aws: Bench) -> None:
    broken = TWO.replace("Outputs:", BROKEN + "Outputs:")
    assert aws.create("repair", broken, DisableRollback=True)["StackStatus"] == "CREATE_FAILED"
    assert aws.update("repair", broken.replace("Nonsense", "String"))["StackStatus"] == "UPDATE_COMPLETE"
    assert value(aws, "repair", "Third") == "x"
    assert aws.delete("repair")["StackStatus"] == "DELETE_COMPLETE"


def test_an_update_is_cancelled_while_it_waits_and_goes_back(aws: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import moto.settings

    aws.create("cancel", TWO)
    monkeypatch.setattr(moto.settings, "ACM_VALIDATION_WAIT", 1_000_000)
    waiting = "  Cert: {Type: AWS::CertificateManager::Certificate, Properties: {DomainName: a.test}}\nOutputs:"
    aws.cloudformation.update_stack(StackName="cancel", TemplateBody=TWO.replace("Outputs:", waiting))
    aws.until(lambda: ("Cert", "CREATE_IN_PROGRESS", "") in aws.events("cancel"))
    aws.cloudformation.cancel_update_stack(StackName="cancel")
    assert aws.settled("cancel")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert ("Cert", "CREATE_FAILED", "Resource creation cancelled") in aws.events("cancel")
    assert aws.resources("cancel").keys() == {"First", "Second"}


def test_an_update_that_changes_nothing_is_refused(aws: Bench) -> None:
    aws.create("same", TWO)
    again = refused(aws.cloudformation.update_stack, StackName="same", TemplateBody=TWO + "# a comment\n")
    assert again == ("ValidationError", "No updates are to be performed.")


def test_a_resource_removed_from_the_template_is_deleted_and_one_retained_is_left(aws: Bench) -> None:
    topics = "Resources:\n  Stay: {Type: AWS::SNS::Topic}\n"
    gone = "  Gone: {Type: AWS::SNS::Topic}\n  Kept: {Type: AWS::SNS::Topic, DeletionPolicy: Retain}\n"
    aws.create("remove", topics + gone)
    arns = {name: entry["PhysicalResourceId"] for name, entry in aws.resources("remove").items()}
    aws.update("remove", topics)
    left = {topic["TopicArn"] for topic in aws.client("sns").list_topics()["Topics"]}
    assert {name for name, arn in arns.items() if arn in left} == {"Stay", "Kept"}
    assert ("Kept", "DELETE_SKIPPED", "") in aws.events("remove")


def test_update_replace_policy_decides_over_the_predecessor(aws: Bench) -> None:
    template = "Resources: {T: {Type: AWS::SNS::Topic, UpdateReplacePolicy: Retain, Properties: {TopicName: %s}}}"
    aws.create("policy", template % "first")
    aws.update("policy", template % "second")
    names = {topic["TopicArn"].split(":")[-1] for topic in aws.client("sns").list_topics()["Topics"]}
    assert {"first", "second"} <= names


def test_exports_are_guarded_while_somebody_imports_them(aws: Bench) -> None:
    exporter = """
Parameters: {Text: {Type: String, Default: one}}
Resources: {T: {Type: AWS::SNS::Topic}}
Outputs: {O: {Value: !Ref Text, Export: {Name: shared-text}}}
"""
    importer = (
        "Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !ImportValue shared-text}}}"
    )
    other = exporter.replace("Outputs:", "Outputs:")
    aws.create("exporter", exporter)
    aws.create("importer", importer)
    assert value(aws, "importer", "P") == "one"
    exports = {export["Name"]: export["Value"] for export in aws.cloudformation.list_exports()["Exports"]}
    assert exports["shared-text"] == "one"
    assert aws.cloudformation.list_imports(ExportName="shared-text")["Imports"] == ["importer"]
    stack = aws.delete("exporter")
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["StackStatusReason"] == "Export shared-text cannot be deleted as it is in use by importer"
    stack = aws.update("exporter", exporter, Parameters=parameters(Text="two"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [reason for _, status, reason in aws.events("exporter") if status == "UPDATE_ROLLBACK_IN_PROGRESS"]
    assert reasons == ["Export shared-text cannot be updated as it is in use by importer"]
    taken = aws.create("second-exporter", other)
    assert taken["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any(
        "Export with name shared-text is already exported by stack exporter." in reason
        for _, _, reason in aws.events("second-exporter")
    )
    aws.delete("importer")
    assert aws.delete("exporter")["StackStatus"] == "DELETE_COMPLETE"


def test_a_failed_rollback_is_continued(aws: Bench) -> None:
    """The way back is barred once: the resource that must be restored has been deleted behind CloudFormation's back."""
    template = """
Parameters: {Policy: {Type: String, Default: one}}
Resources:
  Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: !Ref Days}}
"""
    template = template.replace("Policy: {Type: String, Default: one}", "Days: {Type: Number, Default: 7}")
    aws.create("stuck", template)
    group = aws.resources("stuck")["Group"]["PhysicalResourceId"]
    bad = (
        template
        + "  Bad: {Type: AWS::SSM::Parameter, DependsOn: Group, "
        + "Properties: {Type: String, Value: '{{resolve:ssm:/none}}'}}\n"
    )
    aws.client("logs").delete_log_group(logGroupName=group)
    stack = aws.update("stuck", bad, Parameters=parameters(Days="14"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    aws.client("logs").create_log_group(logGroupName=group)
    aws.cloudformation.continue_update_rollback(StackName="stuck")
    assert aws.settled("stuck")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    found = aws.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found[0]["retentionInDays"] == 7
