"""What the engine asks of the rest of AWS, and the adapter that answers from moto's backends.

Nothing else of this room touches a moto backend. The names used are: ``ecs_backends`` (clusters, task definitions,
``services``), ``logs_backends`` (``groups``, ``ensure_log_group``, ``ensure_log_stream``, ``put_log_events``),
``secretsmanager_backends.get_secret_value``, ``ssm_backends.get_parameters``, ``s3_backends.buckets``,
``elbv2_backends.target_groups``, ``cloudwatch_backends.get_alarms_by_alarm_names`` and
``ec2_backends.describe_subnets``/``describe_security_groups``.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from seatrial.emulator.alarms import evaluate
from seatrial.emulator.ecs import envfiles
from seatrial.emulator.ecs.definitions import ContainerDefinition, TaskDefinition, parse_container
from seatrial.emulator.ecs.model import Cluster
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.ecs.model import Service
    from seatrial.emulator.runtime import LogSink

PULL_SECRETS = "unable to pull secrets or registry auth: execution resource retrieval failed:"
GET_FILES = "failed to download env files: file download command: non empty error stream:"
#: Parameters of RegisterTaskDefinition that moto takes.
REGISTERED = {
    "family": "family",
    "containerDefinitions": "container_definitions",
    "volumes": "volumes",
    "networkMode": "network_mode",
    "tags": "tags",
    "requiresCompatibilities": "requires_compatibilities",
    "cpu": "cpu",
    "memory": "memory",
    "taskRoleArn": "task_role_arn",
    "executionRoleArn": "execution_role_arn",
    "runtimePlatform": "runtime_platform",
    "ephemeralStorage": "ephemeral_storage",
}


class ResourceInitializationError(Exception):
    """A task's secrets, environment files or log stream cannot be had. The text is ECS's, without the error's name."""


@dataclass(frozen=True)
class TargetGroup:
    """A target group as CreateService checks it."""

    arn: str
    target_type: str


@dataclass(frozen=True)
class AlarmView:
    """A CloudWatch alarm. ``seconds`` of AWS's that it looks back on: its period times its evaluation periods."""

    name: str
    state: str
    seconds: float


class Surroundings(Protocol):
    """AWS around ECS."""

    def cluster(self, name: str | None) -> Cluster:
        """Return a cluster by name or ARN (None: ``default``). Raises ``ApiError`` ClusterNotFoundException."""
        ...

    def task_definition(self, name: str) -> TaskDefinition:
        """Return a revision by ``family`` (latest ACTIVE), ``family:revision`` or ARN.

        Raises ``ApiError`` ClientException where there is none; an INACTIVE one is returned.
        """
        ...

    def register(self, request: Mapping[str, Any]) -> Any:
        """Store a new revision (RegisterTaskDefinition) and return it as moto serialises it."""
        ...

    def described(self, arn: str) -> Any:
        """Return a revision that exists as moto serialises it."""
        ...

    def definition_arns(self, family: str | None, status: str) -> list[str]:
        """Return the ARNs of the revisions of a family (None: of all), by family and revision."""
        ...

    def secret(self, value_from: str) -> str:
        """Return the value of a container's secret. Raises :class:`ResourceInitializationError`."""
        ...

    def environment_file(self, arn: str) -> str:
        """Return the text of an environment file. Raises :class:`ResourceInitializationError`."""
        ...

    def open_log(self, container: ContainerDefinition, task_id: str) -> LogSink:
        """Return where a container's output goes. Raises :class:`ResourceInitializationError`."""
        ...

    def target_group(self, arn: str) -> TargetGroup | None:
        """Return a target group, None where there is none."""
        ...

    def alarms(self, names: Sequence[str]) -> list[AlarmView]:
        """Return the CloudWatch alarms of these names, as they stand now; those that do not exist are left out."""
        ...

    def check_network(self, network: dict[str, Any]) -> None:
        """Raise ``ApiError`` InvalidParameterException where a subnet or security group does not exist."""
        ...

    def show_service(self, service: Service) -> None:
        """Let other services of AWS (Application Auto Scaling, tagging) find this one."""
        ...

    def hide_service(self, service: Service) -> None:
        """Take back :meth:`show_service`."""
        ...

    def count(self, cluster: str, *, services: int, running: int, pending: int) -> None:
        """Set the counters that DescribeClusters shows."""
        ...

    def close_cluster(self, cluster: str) -> Any:
        """Make a cluster INACTIVE and return it as moto serialises it."""
        ...


class MotoSurroundings:
    """:class:`Surroundings` over moto's backends of one account and region."""

    def __init__(self, account: str, region: str, clock: Clock) -> None:
        self._account = account
        self._region = region
        self._clock = clock
        self._log_lock = threading.Lock()

    def cluster(self, name: str | None) -> Cluster:
        """See :meth:`Surroundings.cluster`."""
        found = self._ecs().clusters.get((name or "default").split("/")[-1])
        if found is None:
            raise ApiError("ClusterNotFoundException", "Cluster not found.")
        strategy = tuple(found.default_capacity_provider_strategy or ())
        return Cluster(found.name, found.arn, found.status == "ACTIVE", strategy)

    def task_definition(self, name: str) -> TaskDefinition:
        """See :meth:`Surroundings.task_definition`."""
        family, _, revision = name.rsplit("/", maxsplit=1)[-1].partition(":")
        revisions = self._ecs().task_definitions.get(family) or {}
        if revision:
            found = revisions.get(int(revision)) if revision.isdigit() else None
        else:
            active = [number for number, definition in list(revisions.items()) if definition.status == "ACTIVE"]
            found = revisions[max(active)] if active else None
        if found is None:
            raise ApiError("ClientException", "TaskDefinition not found.")
        return TaskDefinition(
            arn=found.arn,
            family=found.family,
            revision=found.revision,
            active=found.status == "ACTIVE",
            network_mode=found.network_mode or "bridge",
            launch_types=tuple(found.compatibilities),
            cpu=found.cpu,
            memory=found.memory,
            containers=tuple(parse_container(c) for c in found.container_definitions),
            tags=tuple(found.tags or ()),
        )

    def register(self, request: Mapping[str, Any]) -> Any:
        """See :meth:`Surroundings.register`."""
        given = {own: request[name] for name, own in REGISTERED.items() if request.get(name) is not None}
        return self._ecs().register_task_definition(**given)

    def described(self, arn: str) -> Any:
        """See :meth:`Surroundings.described`."""
        return self._ecs().describe_task_definition(arn)

    def definition_arns(self, family: str | None, status: str) -> list[str]:
        """See :meth:`Surroundings.definition_arns`."""
        families = self._ecs().task_definitions
        return [
            revision.arn
            for name in sorted(families)
            if family in (None, name)
            for _, revision in sorted(families[name].items())
            if revision.status == status
        ]

    def secret(self, value_from: str) -> str:
        """See :meth:`Surroundings.secret`."""
        if ":secretsmanager:" in value_from:
            return self._secrets_manager(value_from)
        return self._parameter(value_from)

    def environment_file(self, arn: str) -> str:
        """See :meth:`Surroundings.environment_file`."""
        from moto.s3.models import FakeKey, s3_backends

        place = envfiles.place(arn)
        if place is None:
            raise ResourceInitializationError(f"{GET_FILES} invalid ARN {arn}")
        bucket = s3_backends[self._account]["aws"].buckets.get(place[0])
        if bucket is None:
            raise ResourceInitializationError(f"{GET_FILES} NoSuchBucket: The specified bucket does not exist")
        found = bucket.keys.get(place[1])
        if not isinstance(found, FakeKey):  # else nothing, or a delete marker
            raise ResourceInitializationError(f"{GET_FILES} NoSuchKey: The specified key does not exist.")
        content: bytes = found.value
        return content.decode(errors="replace")

    def open_log(self, container: ContainerDefinition, task_id: str) -> LogSink:
        """See :meth:`Surroundings.open_log`. Output of a container without ``awslogs`` is lost, as on Fargate.

        Secrets of the log driver must be there, and no driver here has a use for them.
        """
        for value_from in container.log_secrets.values():
            self.secret(value_from)
        options = container.log_options
        if container.log_driver != "awslogs" or "awslogs-group" not in options:
            return _discard
        group = options["awslogs-group"]
        prefix = options.get("awslogs-stream-prefix")
        stream = f"{prefix}/{container.name}/{task_id}" if prefix else task_id
        backend = self._logs(options.get("awslogs-region") or self._region)
        with self._log_lock:
            if options.get("awslogs-create-group") == "true":
                backend.ensure_log_group(group)
            if group not in backend.groups:
                raise ResourceInitializationError(
                    "failed to validate logger args: create stream has been retried 1 times: failed to create "
                    "Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. "
                    ": exit status 1"
                )
            backend.ensure_log_stream(group, stream)

        def sink(line: str) -> None:
            event = {"timestamp": int(self._clock.now().timestamp() * 1000), "message": line}
            with self._log_lock:
                found = backend.groups.get(group)
                if found is not None and stream in found.streams:  # else it was deleted while the task runs
                    backend.put_log_events(group, stream, [event])

        return sink

    def target_group(self, arn: str) -> TargetGroup | None:
        """See :meth:`Surroundings.target_group`."""
        from moto.elbv2.models import elbv2_backends

        found = elbv2_backends[self._account][self._region].target_groups.get(arn)
        return None if found is None else TargetGroup(found.arn, found.target_type)

    def alarms(self, names: Sequence[str]) -> list[AlarmView]:
        """See :meth:`Surroundings.alarms`."""
        if not names:
            return []
        from moto.cloudwatch.models import cloudwatch_backends

        backend = cloudwatch_backends[self._account][self._region]
        evaluate(backend, self._clock)
        return [
            AlarmView(alarm.name, alarm.state_value, float(alarm.period or 0) * int(alarm.evaluation_periods or 1))
            for alarm in backend.get_alarms_by_alarm_names(list(names))
        ]

    def check_network(self, network: dict[str, Any]) -> None:
        """See :meth:`Surroundings.check_network`."""
        from moto.ec2.models import ec2_backends

        backend = ec2_backends[self._account][self._region]
        subnets = {s.id for s in backend.describe_subnets()}
        for subnet in network.get("subnets") or ():
            if subnet not in subnets:
                raise ApiError(
                    "InvalidParameterException",
                    f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not exist "
                    "(ErrorCode: InvalidSubnetID.NotFound)",
                )
        groups = {g.id for g in backend.describe_security_groups()}
        for group in network.get("securityGroups") or ():
            if group not in groups:
                raise ApiError(
                    "InvalidParameterException",
                    f"Error retrieving security group information for [{group}]: The security group '{group}' does "
                    "not exist (ErrorCode: InvalidGroup.NotFound)",
                )

    def show_service(self, service: Service) -> None:
        """See :meth:`Surroundings.show_service`."""
        self._ecs().services[f"{service.cluster.name}:{service.name}"] = _ServiceMirror(service)

    def hide_service(self, service: Service) -> None:
        """See :meth:`Surroundings.hide_service`."""
        self._ecs().services.pop(f"{service.cluster.name}:{service.name}", None)

    def count(self, cluster: str, *, services: int, running: int, pending: int) -> None:
        """See :meth:`Surroundings.count`."""
        found = self._ecs().clusters.get(cluster)
        if found is not None:
            found.active_services_count = services
            found.running_tasks_count = running
            found.pending_tasks_count = pending

    def close_cluster(self, cluster: str) -> Any:
        """See :meth:`Surroundings.close_cluster`."""
        return self._ecs().delete_cluster(cluster)

    def _ecs(self) -> Any:
        from moto.ecs.models import ecs_backends

        return ecs_backends[self._account][self._region]

    def _logs(self, region: str) -> Any:
        from moto.logs.models import logs_backends

        return logs_backends[self._account][region]

    def _secrets_manager(self, value_from: str) -> str:
        from moto.core.exceptions import JsonRESTError
        from moto.secretsmanager.models import secretsmanager_backends

        parts = value_from.split(":")
        arn, (key, stage, version) = ":".join(parts[:7]), [*parts[7:10], "", "", ""][:3]
        retried = f"{PULL_SECRETS} unable to retrieve secret from asm: service call has been retried 1 time(s):"
        try:
            answer = secretsmanager_backends[self._account][parts[3]].get_secret_value(
                secret_id=arn, version_id=version or None, version_stage=stage or "AWSCURRENT"
            )
        except JsonRESTError as error:
            raise ResourceInitializationError(
                f"{retried} failed to fetch secret {arn} from secrets manager: {error.error_type}: {error.message}"
            ) from error
        value = str(answer.get("SecretString", ""))
        if not key:
            return value
        try:
            fields = json.loads(value)
        except ValueError:
            fields = None
        if not isinstance(fields, dict) or key not in fields:
            raise ResourceInitializationError(
                f"{retried} retrieved secret from Secrets Manager did not contain json key {key}"
            )
        return fields[key] if isinstance(fields[key], str) else json.dumps(fields[key])

    def _parameter(self, value_from: str) -> str:
        from moto.ssm.models import ssm_backends

        arn = re.fullmatch(r"arn:[^:]+:ssm:([^:]+):[^:]*:parameter(/.+)", value_from)
        region, name = (arn[1], arn[2]) if arn else (self._region, value_from)
        backend = ssm_backends[self._account][region]
        for candidate in (name, name.removeprefix("/")) if arn else (name,):
            found = backend.get_parameters([candidate]).get(candidate)
            if found is not None:
                return str(found.response_object(decrypt=True)["Value"])
        raise ResourceInitializationError(
            f"{PULL_SECRETS} unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
            f"invalid parameters: {value_from}"
        )


class _ServiceMirror:
    """A service as moto's other backends look for it: Application Auto Scaling and the tagging actions."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.name = service.name
        self.arn = self.physical_resource_id = service.arn
        self.cluster_name, self.cluster_arn = service.cluster.name, service.cluster.arn
        self.task_sets: list[Any] = []

    @property
    def tags(self) -> list[dict[str, str]]:
        return self._service.tags

    @tags.setter
    def tags(self, tags: list[dict[str, str]]) -> None:
        self._service.tags[:] = tags

    @property
    def desired_count(self) -> int:
        return self._service.desired

    @property
    def status(self) -> str:
        return self._service.status


def _discard(_line: str) -> None:
    """Take the output of a container that has no log driver here."""
