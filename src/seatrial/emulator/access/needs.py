"""What a request needs: actions on resources, as the Service Authorization Reference names them. Pure.

:data:`_RESOURCES` has the actions whose resources are read from the request, the ones that a release and its looking
use. Of any other action only its name is checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from seatrial.emulator.access.decision import Need

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Parameters = Mapping[str, Any]
    Resources = Callable[["Place", Parameters], list[str]]

_PASS_ROLE = "iam:PassRole"  # noqa: S105 - an action of IAM, no password


@dataclass(frozen=True)
class Place:
    """Where the resources are."""

    account: str
    region: str
    partition: str = "aws"

    def arn(self, service: str, kind: str, name: str) -> str:
        """Return the ARN of a resource of this account and region; a name that is one already stays."""
        if name.startswith("arn:"):
            return name
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{kind}{name}"


def needs(service: str, operation: str, parameters: Parameters, place: Place) -> list[Need]:
    """Return what a call needs. ``service`` is the IAM prefix, ``operation`` and ``parameters`` botocore's."""
    action = f"{service}:{operation}"
    context = _context(service, parameters, place)
    read = _RESOURCES.get(action)
    resources: list[str | None] = [None] if read is None else [*read(place, parameters)]
    return [Need(action, each, context) for each in resources] + _besides(action, parameters, place)


def of_s3(
    method: str, path: str, flags: Mapping[str, str], headers: Mapping[str, str], body: bytes = b""
) -> list[Need] | None:
    """Return what a request to S3 in path style needs; None for one that is not known here.

    ``flags`` are the query parameters, of which the names of sub-resources matter. ``body`` is looked at where it says
    which objects are to be deleted.
    """
    bucket, _, key = path.lstrip("/").partition("/")
    arn = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    flag = next((name for name in _S3_FLAGS if name in flags), "")
    action = _S3.get((method, bool(key), flag))
    if action is None:
        return None
    if flag == "delete":
        keys = (unescape(each) for each in re.findall(r"<Key>(.*?)</Key>", body.decode(), re.DOTALL))
        return [Need("s3:DeleteObject", f"{arn}/{each}") for each in keys]
    found = [Need(f"s3:{action}", arn, {"s3:prefix": flags["prefix"]} if "prefix" in flags else {})]
    if source := headers.get("HTTP_X_AMZ_COPY_SOURCE"):
        found.append(Need("s3:GetObject", f"arn:aws:s3:::{unquote(source.partition('?')[0]).lstrip('/')}"))
    if headers.get("HTTP_X_AMZ_TAGGING"):
        found.append(Need("s3:PutObjectTagging", arn))
    if action == "CreateBucket" and "HTTP_X_AMZ_OBJECT_OWNERSHIP" in headers:
        found.append(Need("s3:PutBucketOwnershipControls", arn))
    return found


def _context(service: str, parameters: Parameters, place: Place) -> dict[str, str]:
    if service == "ecs" and parameters.get("cluster"):
        return {"ecs:cluster": place.arn("ecs", "cluster/", parameters["cluster"])}
    return {}


def _besides(action: str, parameters: Parameters, place: Place) -> list[Need]:
    """Return the further actions that some calls are checked for.

    CreateDeployment with an AppSpec in it: README of aws-actions/amazon-ecs-deploy-task-definition, "Permissions".
    """
    if action == "codedeploy:CreateDeployment":
        application = place.arn("codedeploy", "application:", str(parameters.get("applicationName")))
        # Which configuration a request without one means, the group knows.
        name = str(parameters.get("deploymentConfigName") or "CodeDeployDefault.ECSAllAtOnce")
        return [
            Need("codedeploy:GetDeploymentConfig", place.arn("codedeploy", "deploymentconfig:", name)),
            Need("codedeploy:RegisterApplicationRevision", application),
        ]
    if action != "ecs:RegisterTaskDefinition":
        return []
    found = [
        Need(_PASS_ROLE, parameters[role], {"iam:PassedToService": "ecs-tasks.amazonaws.com"})
        for role in ("executionRoleArn", "taskRoleArn")
        if parameters.get(role)
    ]
    if parameters.get("tags"):
        found.append(Need("ecs:TagResource", _family(place, parameters["family"])))
    return found


def _family(place: Place, name: str) -> str:
    """Return the ARN of a revision; of one that is not named, a stand-in."""
    found = place.arn("ecs", "task-definition/", name)
    return found if ":" in found.rpartition("/")[2] else f"{found}:0"


def _named(service: str, kind: str, key: str) -> Resources:
    def read(place: Place, parameters: Parameters) -> list[str]:
        value = parameters.get(key)
        values = value if isinstance(value, list) else [value or ""]
        return [place.arn(service, f"{kind}/", str(each).lstrip("/")) for each in values]

    return read


def _in_cluster(kind: str, key: str) -> Resources:
    def read(place: Place, parameters: Parameters) -> list[str]:
        value = parameters.get(key)
        cluster = str(parameters.get("cluster") or "default").rpartition("/")[2]
        values = value if isinstance(value, list) else [value or ""]
        return [place.arn("ecs", f"{kind}/{cluster}/", str(each)) for each in values]

    return read


def _executed(place: Place, parameters: Parameters) -> list[str]:
    cluster = place.arn("ecs", "cluster/", str(parameters.get("cluster") or "default"))
    return [cluster, *_in_cluster("task", "task")(place, parameters)]


def _revision(key: str) -> Resources:
    return lambda place, parameters: [_family(place, parameters.get(key) or "")]


def _stack(place: Place, parameters: Parameters) -> list[str]:
    name = parameters.get("StackName")
    if not name:
        return ["*"]
    return [name if str(name).startswith("arn:") else place.arn("cloudformation", "stack/", f"{name}/0")]


def _log_stream(place: Place, parameters: Parameters) -> list[str]:
    group, stream = parameters.get("logGroupName"), parameters.get("logStreamName")
    return [place.arn("logs", "log-group:", f"{group}:log-stream:{stream}")]


def _log_group(place: Place, parameters: Parameters) -> list[str]:
    return [place.arn("logs", "log-group:", f"{parameters.get('logGroupName')}:*")]


def _deployment_group(place: Place, parameters: Parameters) -> list[str]:
    application, group = parameters.get("applicationName"), parameters.get("deploymentGroupName")
    return [place.arn("codedeploy", "deploymentgroup:", f"{application}/{group}")]


def _any(_place: Place, _parameters: Parameters) -> list[str]:
    return ["*"]


_RESOURCES: dict[str, Resources] = {
    "cloudformation:CreateChangeSet": _stack,
    "cloudformation:DeleteStack": _stack,
    "cloudformation:DescribeStackEvents": _stack,
    "cloudformation:DescribeStacks": _stack,
    "cloudformation:GetTemplate": _stack,
    "cloudformation:ListStackResources": _stack,
    "codedeploy:ContinueDeployment": _any,
    "codedeploy:CreateDeployment": _deployment_group,
    "codedeploy:GetDeploymentGroup": _deployment_group,
    "codedeploy:GetDeploymentTarget": _any,
    "codedeploy:ListDeployments": _deployment_group,
    "codedeploy:StopDeployment": _any,
    "ecr:BatchCheckLayerAvailability": _named("ecr", "repository", "repositoryName"),
    "ecr:BatchGetImage": _named("ecr", "repository", "repositoryName"),
    "ecr:CompleteLayerUpload": _named("ecr", "repository", "repositoryName"),
    "ecr:DescribeImages": _named("ecr", "repository", "repositoryName"),
    "ecr:GetAuthorizationToken": _any,
    "ecr:GetDownloadUrlForLayer": _named("ecr", "repository", "repositoryName"),
    "ecr:InitiateLayerUpload": _named("ecr", "repository", "repositoryName"),
    "ecr:ListImages": _named("ecr", "repository", "repositoryName"),
    "ecr:PutImage": _named("ecr", "repository", "repositoryName"),
    "ecr:UploadLayerPart": _named("ecr", "repository", "repositoryName"),
    "ecs:DeregisterTaskDefinition": _any,
    "ecs:DescribeServiceDeployments": _named("ecs", "service-deployment", "serviceDeploymentArns"),
    "ecs:DescribeServiceRevisions": _named("ecs", "service-revision", "serviceRevisionArns"),
    "ecs:DescribeServices": _in_cluster("service", "services"),
    "ecs:DescribeTaskDefinition": _any,
    "ecs:DescribeTasks": _in_cluster("task", "tasks"),
    "ecs:ExecuteCommand": _executed,
    "ecs:ListServiceDeployments": _in_cluster("service", "service"),
    "ecs:ListTaskDefinitions": _any,
    "ecs:ListTasks": _any,
    "ecs:RegisterTaskDefinition": _revision("family"),
    "ecs:RunTask": _revision("taskDefinition"),
    "ecs:StopServiceDeployment": _named("ecs", "service-deployment", "serviceDeploymentArn"),
    "ecs:StopTask": _in_cluster("task", "task"),
    "ecs:UpdateService": _in_cluster("service", "service"),
    "elasticloadbalancing:DescribeListeners": _any,
    "elasticloadbalancing:DescribeRules": _any,
    "elasticloadbalancing:DescribeTargetGroups": _any,
    "elasticloadbalancing:DescribeTargetHealth": _any,
    "logs:FilterLogEvents": _log_group,
    "logs:GetLogEvents": _log_stream,
    "ssm:DeleteParameter": _named("ssm", "parameter", "Name"),
    "ssm:GetParameter": _named("ssm", "parameter", "Name"),
    "ssm:GetParameters": _named("ssm", "parameter", "Names"),
    "ssm:PutParameter": _named("ssm", "parameter", "Name"),
}

#: Query parameters of S3 that make another action of a method.
_S3_FLAGS = ("publicAccessBlock", "encryption", "policy", "delete", "uploads", "uploadId", "tagging", "list-type")
#: (method, whether a key is named, sub-resource) → action.
_S3 = {
    ("PUT", True, ""): "PutObject",
    ("GET", True, ""): "GetObject",
    ("HEAD", True, ""): "GetObject",
    ("DELETE", True, ""): "DeleteObject",
    ("POST", True, "uploads"): "PutObject",
    ("PUT", True, "uploadId"): "PutObject",
    ("POST", True, "uploadId"): "PutObject",
    ("DELETE", True, "uploadId"): "AbortMultipartUpload",
    ("GET", True, "tagging"): "GetObjectTagging",
    ("PUT", True, "tagging"): "PutObjectTagging",
    ("POST", False, "delete"): "DeleteObject",
    ("GET", False, "list-type"): "ListBucket",
    ("HEAD", False, ""): "ListBucket",
    ("PUT", False, ""): "CreateBucket",
    ("GET", False, "policy"): "GetBucketPolicy",
    ("PUT", False, "policy"): "PutBucketPolicy",
    ("PUT", False, "publicAccessBlock"): "PutBucketPublicAccessBlock",
    ("PUT", False, "encryption"): "PutEncryptionConfiguration",
}
