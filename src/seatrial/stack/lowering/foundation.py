"""What an environment has before anything runs in it: cluster, roles, logs, bucket, secrets, its security group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack.graph import GetAtt, Noted, Output, Parameter, Ref, Resource, Template, parameters_needed
from seatrial.stack.lowering.buckets import UNFINISHED_UPLOADS, bucket_policy, private_bucket
from seatrial.stack.lowering.data import POSTGRES_PORT, VALKEY_PORT
from seatrial.stack.lowering.naming import imported, own_url
from seatrial.stack.lowering.policies import execution_role, log_group_id, secret_id, task_role
from seatrial.stack.lowering.units import SITE_URL

if TYPE_CHECKING:
    from seatrial.stack.graph import Value
    from seatrial.stack.model import App, Bucket, Secret, Stack

_LOG_DAYS = 30
_OLD_VERSIONS_DAYS = 30


def foundation_template(stack: Stack) -> Template:
    """Return the template whose outputs services, tasks and jobs are made with."""
    app = stack.app
    resources = {
        "Cluster": _cluster(app),
        "TaskSecurityGroup": _task_security_group(stack),
        **_data_access(stack),
        "ExecutionRole": execution_role(stack),
        "TaskRole": task_role(stack),
        **{log_group_id(container): _log_group(container.log_group) for container in app.containers},
    }
    outputs = {
        "ClusterName": Output("Cluster", Ref("Cluster")),
        "ClusterArn": Output("ARN of the cluster", GetAtt("Cluster", "Arn")),
        "TaskSecurityGroup": Output("Security group of the tasks", GetAtt("TaskSecurityGroup", "GroupId")),
        "ExecutionRoleArn": Output("Role that ECS starts tasks with", GetAtt("ExecutionRole", "Arn")),
        "TaskRoleArn": Output("Role that the project's code has", GetAtt("TaskRole", "Arn")),
    }
    if app.bucket is not None:
        resources["MediaBucket"] = _bucket(app.bucket, _own_origins(stack))
        resources["MediaBucketPolicy"] = bucket_policy("MediaBucket")
        outputs["MediaBucketName"] = Output("Bucket for uploads", Ref("MediaBucket"))
    for secret in app.secrets:
        name = secret_id(secret.variable)
        resources[name] = _secret(secret)
        outputs[f"{name}Arn"] = Output(f"ARN of the secret {secret.variable}; not its value", Ref(name))
    wanted = parameters_needed(resources)
    return Template(
        name="foundation",
        description="Cluster, roles, logs, bucket and secrets",
        parameters={SITE_URL: Parameter("Where the site answers")} if SITE_URL in wanted else {},
        resources=resources,
        outputs=outputs,
    )


def _cluster(app: App) -> Resource:
    return Resource(
        "AWS::ECS::Cluster",
        {
            "ClusterName": app.name,
            "ClusterSettings": [
                {
                    "Name": "containerInsights",
                    "Value": Noted(
                        "disabled",
                        "Each metric it makes is paid as a custom metric, and every service and task makes a dozen or "
                        "more. CPU and memory of each service are in CloudWatch without it",
                    ),
                }
            ],
        },
    )


def _task_security_group(stack: Stack) -> Resource:
    ports = sorted({service.balancing.port for service in stack.app.services if service.balancing is not None})
    properties: dict[str, Value] = {
        "GroupDescription": f"Tasks of {stack.app.name}: only the load balancer may come in",
        "VpcId": imported(stack.base.name, "VpcId"),
        "SecurityGroupEgress": Noted(
            [
                {
                    "IpProtocol": "-1",
                    "CidrIp": "0.0.0.0/0",
                    "Description": "Registry, secrets, logs, other people's APIs",
                }
            ],
            "Tasks must reach AWS's own APIs, which have no fixed addresses",
        ),
    }
    if ports:
        properties["SecurityGroupIngress"] = [
            {
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "SourceSecurityGroupId": imported(stack.base.name, "LoadBalancerSecurityGroup"),
                "Description": "Load balancer",
            }
            for port in ports
        ]
    return Resource("AWS::EC2::SecurityGroup", properties)


def _data_access(stack: Stack) -> dict[str, Resource]:
    """Return the rules that let this environment's tasks, and no other's, into database and cache."""
    doors = []
    if stack.base.database is not None:
        doors.append(("Database", POSTGRES_PORT))
    if stack.base.cache is not None:
        doors.append(("Cache", VALKEY_PORT))
    return {
        f"{what}Access": Resource(
            "AWS::EC2::SecurityGroupIngress",
            {
                "GroupId": imported(stack.base.name, f"{what}SecurityGroup"),
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "SourceSecurityGroupId": GetAtt("TaskSecurityGroup", "GroupId"),
                "Description": f"Tasks of {stack.app.name}",
            },
        )
        for what, port in doors
    }


def _log_group(name: str) -> Resource:
    return Resource(
        "AWS::Logs::LogGroup",
        {
            "LogGroupName": name,
            "RetentionInDays": Noted(_LOG_DAYS, "Nothing said means for ever, and storage is paid by the month"),
        },
        deletion_policy="Delete",
        update_replace_policy="Delete",
    )


def _bucket(bucket: Bucket, own: list[Value]) -> Resource:
    rules: list[Value] = [UNFINISHED_UPLOADS]
    if bucket.versioned:
        rules.append(
            {
                "Id": "old-versions",
                "Status": "Enabled",
                "NoncurrentVersionExpiration": {
                    "NoncurrentDays": Noted(
                        _OLD_VERSIONS_DAYS, "So long a file that was overwritten or deleted can be had back"
                    )
                },
            }
        )
    origins: list[Value] = own if bucket.origins is None else list(bucket.origins)
    return Resource(
        "AWS::S3::Bucket",
        {
            **(_cross_origin(origins) if origins else {}),
            **private_bucket(),
            "VersioningConfiguration": {"Status": "Enabled" if bucket.versioned else "Suspended"},
            "LifecycleConfiguration": {"Rules": rules},
        },
        deletion_policy="RetainExceptOnCreate",
        update_replace_policy="Retain",
        why="Uploads exist nowhere else: the bucket stays whatever becomes of the stack",
    )


def _own_origins(stack: Stack) -> list[Value]:
    """Return where pages of this environment come from: the load balancer or its domain, and the site."""
    return [own_url(stack)] if stack.app.site is None else [own_url(stack), Ref(SITE_URL)]


def _cross_origin(origins: list[Value]) -> dict[str, Value]:
    rule: dict[str, Value] = {
        "AllowedOrigins": Noted(origins, "A browser asks before a page sends a file to a host other than its own"),
        "AllowedMethods": ["GET", "HEAD", "POST", "PUT"],
        "AllowedHeaders": Noted(["*"], "What is sent is decided by whoever signs the address"),
        "ExposedHeaders": ["ETag"],
        "MaxAge": 3600,
    }
    return {"CorsConfiguration": {"CorsRules": [rule]}}


def _secret(secret: Secret) -> Resource:
    properties: dict[str, Value] = {"Name": secret.name}
    if secret.generate is None:
        properties["Description"] = (
            f"{secret.variable}: empty until you fill it: aws secretsmanager put-secret-value "
            f"--secret-id {secret.name} --secret-string file:///dev/stdin"
        )
    else:
        properties["Description"] = f"{secret.variable}: made by Secrets Manager"
        properties["GenerateSecretString"] = {
            "PasswordLength": secret.generate,
            "ExcludeCharacters": Noted("\"'\\$`", "Safe in a shell, in a URL's password once quoted, in a .env file"),
        }
    return Resource(
        "AWS::SecretsManager::Secret",
        properties,
        deletion_policy="RetainExceptOnCreate",
        update_replace_policy="Retain",
    )
