"""What runs: task definitions of services, tasks and jobs; services; schedules. :mod:`.traffic` leads to services.

A *release* writes new revisions of these families and moves the services to them. A stack update writes the next
revision too, and moves nothing: see ``task_definition`` and ``service``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack import model, names
from seatrial.stack.graph import NO_VALUE, GetAtt, If, Noted, Ref, Resource, Split, Sub
from seatrial.stack.lowering.deployments import deployment_configuration
from seatrial.stack.lowering.naming import imported
from seatrial.stack.lowering.policies import schedule_role, secret_id
from seatrial.stack.lowering.traffic import load_balancer, rule_ids, traffic

if TYPE_CHECKING:
    from seatrial.stack.graph import Value

CLUSTER_ARN = "ClusterArn"
EXECUTION_ROLE = "ExecutionRoleArn"
TASK_ROLE = "TaskRoleArn"
TASK_GROUP = "TaskSecurityGroup"
MEDIA_BUCKET = "MediaBucketName"
SITE_URL = "SiteUrl"


def task_definition(container: model.Container, base: str) -> Resource:
    """Return the task definition of a container.

    Every change of it is a replacement (the registry schema's ``createOnlyProperties``), that is: a new revision of
    the family. ``UpdateReplacePolicy: Retain`` keeps CloudFormation from deregistering the revision before, which may
    be the one that is running: an inactive revision keeps its tasks, but no rollback can go to it.
    """
    return Resource(
        "AWS::ECS::TaskDefinition",
        {
            "Family": container.family,
            "Cpu": str(container.cpu),
            "Memory": str(container.memory),
            "NetworkMode": "awsvpc",
            "RequiresCompatibilities": ["FARGATE"],
            "RuntimePlatform": {
                "OperatingSystemFamily": "LINUX",
                "CpuArchitecture": Noted(
                    "X86_64", "What CI machines build. ARM64 costs a fifth less, for an image built for it"
                ),
            },
            "ExecutionRoleArn": Ref(EXECUTION_ROLE),
            "TaskRoleArn": Ref(TASK_ROLE),
            "ContainerDefinitions": [_container_definition(container, base)],
        },
        deletion_policy="Delete",
        update_replace_policy="Retain",
        why="Any change writes a new revision. Retain: the one before may be running, or wanted for a rollback",
    )


def service(unit: model.Service, base: str) -> dict[str, Resource]:
    """Return a service's task definition, target group, listener rules and the service itself."""
    name = names.logical(unit.container.unit)
    resources = {f"{name}TaskDefinition": task_definition(unit.container, base)}
    if unit.balancing is not None:
        resources |= traffic(unit, unit.balancing, base)
    resources[f"{name}Service"] = _service(unit, base)
    return resources


def job(unit: model.Job, base: str) -> dict[str, Resource]:
    """Return a job's task definition, its schedule, and the role that the schedule starts it with."""
    name = names.logical(unit.container.unit)
    return {
        f"{name}TaskDefinition": task_definition(unit.container, base),
        f"{name}ScheduleRole": schedule_role(unit.container),
        f"{name}Schedule": _schedule(unit, f"{name}ScheduleRole", base),
    }


def is_live(unit: model.Service | model.Job) -> str:
    """Return the name of the condition that a release has been to this service or job."""
    return f"{names.logical(unit.container.unit)}IsReleased"


def secret_parameter(variable: str) -> str:
    """Return the name of the parameter that passes a secret's ARN."""
    return f"{secret_id(variable)}Arn"


def _container_definition(container: model.Container, base: str) -> dict[str, Value]:
    definition: dict[str, Value] = {
        "Name": container.unit,
        "Image": Ref(names.IMAGE_PARAMETER),
        "Essential": True,
        "Command": list(container.command),
    }
    if container.port is not None:
        definition["PortMappings"] = [{"ContainerPort": container.port, "Protocol": "tcp"}]
    definition["Environment"] = [
        {"Name": name, "Value": _wired(value, base) if isinstance(value, model.Wire) else value}
        for name, value in container.environment
    ]
    if container.secrets:
        definition["Secrets"] = [
            {"Name": name, "ValueFrom": _secret_source(source, base)} for name, source in container.secrets
        ]
    return definition | {
        "StopTimeout": Noted(container.stop_timeout, "Seconds from SIGTERM to SIGKILL"),
        "LinuxParameters": {
            "InitProcessEnabled": Noted(True, "Passes SIGTERM on and reaps what ECS Exec leaves behind")
        },
        "ReadonlyRootFilesystem": Noted(
            False, "ECS Exec needs to write its agent, and web servers their worker files in /tmp"
        ),
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": container.log_group,
                "awslogs-region": Ref("AWS::Region"),
                "awslogs-stream-prefix": "ecs",
                "mode": Noted("non-blocking", "When CloudWatch is slow, lose log lines rather than stop serving"),
                "max-buffer-size": Noted("4m", "So much may wait, per container"),
            },
        },
    }


def _wired(wire: model.Wire, base: str) -> Value:
    match wire:
        case model.Wire.DATABASE_HOST:
            return imported(base, "DatabaseHost")
        case model.Wire.DATABASE_PORT:
            return imported(base, "DatabasePort")
        case model.Wire.CACHE_URL:
            host, port = imported(base, "CacheHost"), imported(base, "CachePort")
            return Sub("redis://${Host}:${Port}/0", (("Host", host), ("Port", port)))
        case model.Wire.MEDIA_BUCKET:
            return Ref(MEDIA_BUCKET)
        case model.Wire.SITE_URL:
            return Ref(SITE_URL)


def _secret_source(source: model.SecretSource, base: str) -> Value:
    if isinstance(source, model.DatabaseCredential):
        return Sub(f"${{Secret}}:{source.key}::", (("Secret", imported(base, "DatabaseSecretArn")),))
    if isinstance(source, model.OwnSecret):
        return Ref(secret_parameter(source.variable))
    return source.arn


def _service(unit: model.Service, base: str) -> Resource:
    name = names.logical(unit.container.unit)
    rolls = unit.maximum_percent > 100
    properties: dict[str, Value] = {
        "Cluster": Ref(CLUSTER_ARN),
        "ServiceName": unit.container.unit,
        "TaskDefinition": Noted(
            unit.container.family,
            "The family, not a revision: a new revision does not change this value, so no stack update moves the "
            "service. Releases do",
        ),
        "DesiredCount": _count(unit),
        "LaunchType": "FARGATE",
        **_deployed(unit),
        "NetworkConfiguration": {"AwsvpcConfiguration": _network(base)},
        "EnableExecuteCommand": Noted(True, "For a shell in a running task; IAM says who may")
        if unit.exec
        else Noted(False, "`exec = true` lets `seatrial exec` run commands in its tasks"),
        "EnableECSManagedTags": True,
        "PropagateTags": "SERVICE",
        "AvailabilityZoneRebalancing": "ENABLED"
        if rolls and unit.deployment.codedeploy is None
        else Noted("DISABLED", "CodeDeploy alone moves tasks")
        if rolls
        else Noted("DISABLED", "Rebalancing starts a task before it stops one, which 100 percent does not allow"),
    }
    depends_on = [f"{name}TaskDefinition"]
    if unit.balancing is not None:
        properties["HealthCheckGracePeriodSeconds"] = Noted(
            unit.balancing.grace_period, "So long after its start a task may fail health checks and is left alone"
        )
        properties["LoadBalancers"] = [load_balancer(unit, unit.balancing)]
        # ECS refuses a target group that no listener leads to. Rules that ECS is told of are depended on anyway.
        depends_on += [] if unit.deployment.shifts else rule_ids(unit)
    return Resource("AWS::ECS::Service", properties, depends_on=tuple(depends_on))


def _count(unit: model.Service) -> Noted:
    if unit.deployment.codedeploy is not None:
        return Noted(
            0,
            "What it is made with; a release sets the count. Never change a property of this service: CloudFormation "
            "would call UpdateService with all of them, this one and the task definition too, which ECS refuses",
        )
    return Noted(
        If(is_live(unit), NO_VALUE, 0),
        "Nothing runs before the first release; afterwards the count is the release's, not the stack's",
    )


def _deployed(unit: model.Service) -> dict[str, Value]:
    """Return who deploys a service, and how."""
    if unit.deployment.codedeploy is not None:
        return {"DeploymentController": {"Type": "CODE_DEPLOY"}}
    return {"DeploymentConfiguration": deployment_configuration(unit)}


def _network(base: str) -> dict[str, Value]:
    return {
        "AssignPublicIp": imported(base, "AssignPublicIp"),
        "Subnets": Split(",", imported(base, "TaskSubnets")),
        "SecurityGroups": [Ref(TASK_GROUP)],
    }


def _schedule(unit: model.Job, role: str, base: str) -> Resource:
    family = unit.container.family
    return Resource(
        "AWS::Scheduler::Schedule",
        {
            "Name": names.schedule(family),
            "Description": f"Runs {family}",
            "State": Noted(
                If(is_live(unit), "ENABLED", "DISABLED"),
                "The first release that has the job turns it on, not the stack",
            ),
            "ScheduleExpression": unit.schedule,
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": Ref(CLUSTER_ARN),
                "RoleArn": GetAtt(role, "Arn"),
                "EcsParameters": {
                    "TaskDefinitionArn": Noted(
                        Sub(
                            f"arn:${{AWS::Partition}}:ecs:${{AWS::Region}}:${{AWS::AccountId}}:task-definition/{family}"
                        ),
                        "Without a revision: the newest one, which a release registers when it is live",
                    ),
                    "LaunchType": "FARGATE",
                    "TaskCount": 1,
                    "NetworkConfiguration": {"AwsvpcConfiguration": _network(base)},
                    "PropagateTags": "TASK_DEFINITION",
                },
                "RetryPolicy": {
                    "MaximumEventAgeInSeconds": Noted(
                        300, "A job that could not start in five minutes waits for its next time; a day by default"
                    ),
                    "MaximumRetryAttempts": 5,
                },
            },
        },
        depends_on=(f"{names.logical(unit.container.unit)}TaskDefinition",),
    )
