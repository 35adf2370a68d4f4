"""AWS::CodeDeploy::*: applications, deployment groups and deployment configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.emulator.cloudformation.changes import differing
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, Tagging, retag

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.resources.work import Work

#: What a group has where the template no longer says it: to UpdateDeploymentGroup an absent member is "as it is".
_EMPTY = {
    "AlarmConfiguration": {"alarmConfiguration": {"enabled": False, "alarms": []}},
    "AutoRollbackConfiguration": {"autoRollbackConfiguration": {"enabled": False, "events": []}},
}


def _application_arn(work: Work) -> str:
    return work.place.arn("codedeploy", f"application:{work.physical_id}")


def _group_arn(work: Work) -> str:
    return work.place.arn("codedeploy", f"deploymentgroup:{work.get('ApplicationName')}/{work.physical_id}")


_TAGS = Tagging("tag_resource", "ResourceArn", "Tags", "untag_resource", identity=_group_arn)


def _change_group(work: Work, old: Properties) -> None:
    changed = differing(old, work.properties)
    if "Tags" in changed:
        retag("codedeploy", _TAGS, work, old)
    if not changed - {"Tags"}:
        return
    parameters = Row("codedeploy").parameters(work, "update_deployment_group")
    for name, empty in _EMPTY.items():
        if old.get(name) and not work.get(name):
            parameters |= empty
    work.call("codedeploy", "update_deployment_group", **{**parameters, "currentDeploymentGroupName": work.physical_id})


def _delete_group(work: Work) -> None:
    work.call(
        "codedeploy",
        "delete_deployment_group",
        applicationName=work.get("ApplicationName"),
        deploymentGroupName=work.physical_id,
    )


ROWS: dict[str, Row] = {
    "AWS::CodeDeploy::Application": Row(
        "codedeploy",
        "create_application",
        lambda work, _: str(work.get("ApplicationName")),
        name=Name("ApplicationName", limit=100),
        key="applicationName",
        delete_call="delete_application",
        tagging=Tagging("tag_resource", "ResourceArn", "Tags", "untag_resource", identity=_application_arn),
    ),
    "AWS::CodeDeploy::DeploymentConfig": Row(
        "codedeploy",
        "create_deployment_config",
        lambda work, _: str(work.get("DeploymentConfigName")),
        name=Name("DeploymentConfigName", limit=100),
        key="deploymentConfigName",
        delete_call="delete_deployment_config",
    ),
    "AWS::CodeDeploy::DeploymentGroup": Row(
        "codedeploy",
        "create_deployment_group",
        lambda work, _: str(work.get("DeploymentGroupName")),
        name=Name("DeploymentGroupName", limit=100),
        on_update=_change_group,
        on_delete=_delete_group,
    ),
}
