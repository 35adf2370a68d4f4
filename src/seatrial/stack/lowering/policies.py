"""IAM: who may assume a role, and the least that each role needs, computed from what the containers are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack import model
from seatrial.stack.graph import GetAtt, Noted, Ref, Resource, Sub
from seatrial.stack.lowering.naming import imported
from seatrial.stack.names import logical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.stack.graph import Value

VERSION = "2012-10-17"

#: Actions that know no resource, so that their policy must say ``*`` (service authorization reference): the registry
#: login is of the account, an answer names a hook's execution, the channels of ECS Exec are made by the agent as it
#: connects, and what only looks at load balancers looks at all of them.
WITHOUT_RESOURCE = frozenset(
    {
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "ecr:GetAuthorizationToken",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    }
)

#: ``arn:partition:secretsmanager:region:account:secret:name`` has seven parts; what follows names a key or a version.
_SECRET_ARN_PARTS = 7


def role(service: str, statements: list[Value], description: str, *, account: str = "StringEquals") -> Resource:
    """Return a role that ``service`` may assume on behalf of this account only; ``account`` compares it."""
    inline: Value = [{"PolicyName": "least", "PolicyDocument": {"Version": VERSION, "Statement": statements}}]
    return Resource(
        "AWS::IAM::Role",
        {
            "Description": description,
            "AssumeRolePolicyDocument": {
                "Version": VERSION,
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": service},
                        "Action": "sts:AssumeRole",
                        "Condition": {account: {"aws:SourceAccount": Ref("AWS::AccountId")}},
                    }
                ],
            },
            **({"Policies": inline} if statements else {}),
        },
    )


def execution_role(stack: model.Stack) -> Resource:
    """Return the role that ECS starts the tasks with: pull the image, write the logs, read the secrets."""
    base = stack.base.name
    statements: list[Value] = [
        {
            "Sid": "RegistryLogin",
            "Effect": "Allow",
            "Action": "ecr:GetAuthorizationToken",
            "Resource": Noted("*", "This action knows no resource"),
        },
        {
            "Sid": "PullImage",
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": imported(base, "RepositoryArn"),
        },
        {
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [GetAtt(log_group_id(container), "Arn") for container in stack.app.containers],
        },
    ]
    secrets, parameters = _secret_arns(stack)
    if secrets:
        statements.append(
            {
                "Sid": "ReadSecrets",
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": secrets,
            }
        )
    if parameters:
        statements.append(
            {"Sid": "ReadParameters", "Effect": "Allow", "Action": "ssm:GetParameters", "Resource": parameters}
        )
    return role("ecs-tasks.amazonaws.com", statements, "What ECS needs to start this environment's tasks")


def task_role(stack: model.Stack) -> Resource:
    """Return the role that the project's own code has: its bucket and, where that is on, the channels of ECS Exec."""
    statements: list[Value] = []
    if stack.app.bucket is not None:
        statements += [
            {
                "Sid": "ListMedia",
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": GetAtt("MediaBucket", "Arn"),
            },
            {
                "Sid": "ReadAndWriteMedia",
                "Effect": "Allow",
                "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                "Resource": Sub("${MediaBucket.Arn}/*"),
            },
        ]
    if any(service.exec for service in stack.app.services):
        statements.append(
            {
                "Sid": "ExecuteCommand",
                "Effect": "Allow",
                "Action": sorted(action for action in WITHOUT_RESOURCE if action.startswith("ssmmessages:")),
                "Resource": Noted("*", "These actions know no resource"),
            }
        )
    return role("ecs-tasks.amazonaws.com", statements, "What this environment's code may do on AWS")


def schedule_role(container: model.Container) -> Resource:
    """Return the role that the scheduler starts one job with: that family, on that cluster, and nothing else."""
    family = f"arn:${{AWS::Partition}}:ecs:${{AWS::Region}}:${{AWS::AccountId}}:task-definition/{container.family}"
    statements: list[Value] = [
        {
            "Sid": "RunThisFamily",
            "Effect": "Allow",
            "Action": "ecs:RunTask",
            "Resource": [Sub(family), Sub(f"{family}:*")],
            "Condition": {"ArnEquals": {"ecs:cluster": Ref("ClusterArn")}},
        },
        {
            "Sid": "HandOverRoles",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": [Ref("ExecutionRoleArn"), Ref("TaskRoleArn")],
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
    ]
    return role("scheduler.amazonaws.com", statements, f"Starts {container.family} on its schedule")


def traffic_role(groups: Iterable[str], rules: Iterable[str]) -> Resource:
    """Return the role with which ECS shifts traffic: into these target groups, by these rules (logical names).

    AWS's own ``AmazonECSInfrastructureRolePolicyForLoadBalancers`` is for every load balancer of the account.
    """
    statements: list[Value] = [
        {
            "Sid": "Look",
            "Effect": "Allow",
            "Action": sorted(action for action in WITHOUT_RESOURCE if action.startswith("elasticloadbalancing:")),
            "Resource": Noted("*", "These actions know no resource"),
        },
        {
            "Sid": "MoveTasks",
            "Effect": "Allow",
            "Action": ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
            "Resource": [Ref(group) for group in groups],
        },
        {
            "Sid": "MoveTraffic",
            "Effect": "Allow",
            "Action": "elasticloadbalancing:ModifyRule",
            "Resource": [Ref(rule) for rule in rules],
        },
    ]
    # AWS's own example of an infrastructure role has no condition: it does not say that ECS names the account here.
    return role(
        "ecs.amazonaws.com",
        statements,
        "Lets ECS shift this environment's traffic",
        account="StringEqualsIfExists",
    )


def hook_role(functions: Iterable[str]) -> Resource:
    """Return the role with which ECS asks these functions (ARNs) at stages of a deployment."""
    statements: list[Value] = [
        {
            "Sid": "AskTheseFunctions",
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": list(dict.fromkeys(functions)),
        }
    ]
    # As for the role that shifts traffic: AWS's own example has no condition.
    return role(
        "ecs.amazonaws.com", statements, "Lets ECS ask this environment's hooks", account="StringEqualsIfExists"
    )


def handing_over(sid: str) -> dict[str, Value]:
    """Return the statement that lets a role hand the tasks' roles to ECS."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": [Ref("ExecutionRoleArn"), Ref("TaskRoleArn")],
        "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    }


def arn(service: str, resource: str) -> Sub:
    """Return an ARN of this account and region."""
    return Sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")


def log_group_id(container: model.Container) -> str:
    """Return the logical name of a container's log group."""
    return f"{logical(container.unit)}Logs"


def secret_id(variable: str) -> str:
    """Return the logical name of a secret that the stack makes."""
    return f"{logical(variable)}Secret"


def _secret_arns(stack: model.Stack) -> tuple[list[Value], list[Value]]:
    """Return what the containers read from Secrets Manager and from the SSM parameter store, each once, in order."""
    secrets: dict[Value, None] = {}
    parameters: dict[Value, None] = {}
    for container in stack.app.containers:
        for _, source in container.secrets:
            if isinstance(source, model.DatabaseCredential):
                secrets[imported(stack.base.name, "DatabaseSecretArn")] = None
            elif isinstance(source, model.OwnSecret):
                secrets[Ref(secret_id(source.variable))] = None
            elif ":ssm:" in source.arn:
                parameters[source.arn] = None
            else:
                secrets[":".join(source.arn.split(":")[:_SECRET_ARN_PARTS])] = None
    return list(secrets), list(parameters)
