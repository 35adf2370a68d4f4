"""Every name of moto that the emulator leans on, held against the moto that is installed.

moto's response and model classes are not a public interface. When an upgrade moves one of these names, this file says
which, before a release does.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import seatrial.emulator
from seatrial.emulator.ecs.surroundings import REGISTERED

#: Module → names in it. ``Class.attribute`` may be set in a method of the class instead of standing in its body.
NAMES: dict[str, tuple[str, ...]] = {
    "moto.acm.models": (
        "acm_backends",
        "AWSCertificateManagerBackend._certificates",
        "CertBundle.common_name",
        "CertBundle.sans",
        "CertBundle.status",
    ),
    "moto.awslambda.exceptions": ("LambdaClientError",),
    "moto.awslambda.models": (
        "lambda_backends",
        "LambdaBackend.get_function",
        "LambdaFunction.invoke",
        "LambdaFunction.code_bytes",
        "LambdaFunction.environment_vars",
        "LambdaFunction.handler",
        "LambdaFunction.run_time",
        "LambdaFunction.timeout",
        "LambdaFunction.memory_size",
        "LambdaFunction.version",
        "LambdaFunction.function_name",
        "LambdaFunction.function_arn",
        "LambdaFunction.region",
    ),
    "moto.cloudformation.responses": ("CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER",),
    "moto.cloudwatch.models": (
        "cloudwatch_backends",
        "CloudWatchBackend.alarms",
        "CloudWatchBackend.metric_data",
        "CloudWatchBackend.get_alarms_by_alarm_names",
        "Alarm.update_state",
        "Alarm.state_value",
        "Alarm.rule",
        "Alarm.statistic",
        "Alarm.comparison_operator",
        "Alarm.threshold",
        "Alarm.period",
        "Alarm.evaluation_periods",
        "Alarm.datapoints_to_alarm",
        "Alarm.treat_missing_data",
        "Alarm.dimensions",
        "Alarm.unit",
        "MetricDatum.value",
        "MetricDatum.timestamp",
        "MetricAggregatedDatum.sum",
        "MetricAggregatedDatum.sample_count",
        "MetricAggregatedDatum.min",
        "MetricAggregatedDatum.max",
    ),
    "moto.cloudwatch.responses": ("CloudWatchResponse.describe_alarms",),
    "moto.codedeploy.responses": ("CodeDeployResponse",),
    "moto.core.exceptions": ("ServiceException.code", "JsonRESTError"),
    "moto.core.loaders": ("Loader.FILE_LOADER_CLASS",),
    "moto.core.responses": (
        "ActionResult.result",
        "BaseResponse.dispatch",
        "BaseResponse._get_action",
        "BaseResponse.querystring",
        "BaseResponse._get_params",
        "BaseResponse.params",
        "BaseResponse.automated_parameter_parsing",
        "BaseResponse.body",
        "BaseResponse.region",
    ),
    "moto.core.utils": ("convert_to_flask_response", "method_names_from_class"),
    "moto.ec2.models": ("ec2_backends", "EC2Backend.describe_subnets", "EC2Backend.describe_security_groups"),
    "moto.ec2.models.instance_types": ("INSTANCE_TYPE_OFFERINGS",),
    "moto.ecr.exceptions": ("ImageAlreadyExistsException",),
    "moto.ecr.models": (
        "ecr_backends",
        "Image.image_digest",
        "Image.image_tags",
        "Image.image_tag",
        "Image.remove_tag",
        "Image.update_tag",
        "Image.image_manifest",
        "Repository.uri",
        "Repository.images",
        "Repository.registry_id",
        "ECRBackend.repositories",
        "ECRBackend._resolve_image_tag_mutability",
        "ECRBackend.describe_images",
        "ECRBackend.batch_delete_image",
        "ECRBackend.describe_repositories",
    ),
    "moto.ecr.responses": ("ECRResponse",),
    "moto.ecs.models": (
        "ecs_backends",
        "EC2ContainerServiceBackend.clusters",
        "EC2ContainerServiceBackend.services",
        "EC2ContainerServiceBackend.task_definitions",
        "EC2ContainerServiceBackend.delete_cluster",
        "EC2ContainerServiceBackend.register_task_definition",
        "Cluster.active_services_count",
        "Cluster.running_tasks_count",
        "Cluster.pending_tasks_count",
        "Cluster.default_capacity_provider_strategy",
        "Cluster.status",
        "TaskDefinition.container_definitions",
        "TaskDefinition.network_mode",
        "TaskDefinition.compatibilities",
        "TaskDefinition.cpu",
        "TaskDefinition.memory",
        "TaskDefinition.revision",
        "TaskDefinition.family",
        "TaskDefinition.status",
        "TaskDefinition.tags",
    ),
    "moto.ecs.responses": ("EC2ContainerServiceResponse",),
    "moto.elasticache.models": (
        "elasticache_backends",
        "ElastiCacheBackend.replication_groups",
        "ElastiCacheBackend.cache_clusters",
        "ReplicationGroup.node_groups",
        "ReplicationGroup.configuration_endpoint",
        "ReplicationGroup.transit_encryption_mode",
        "ReplicationGroup.transit_encryption_enabled",
        "ReplicationGroup.port",
        "CacheCluster.port",
        "CacheCluster.num_cache_nodes",
        "CacheCluster.engine",
    ),
    "moto.elasticache.responses": (
        "ElastiCacheResponse.create_replication_group",
        "ElastiCacheResponse.modify_replication_group",
        "ElastiCacheResponse.delete_replication_group",
        "ElastiCacheResponse.create_cache_cluster",
        "ElastiCacheResponse.delete_cache_cluster",
    ),
    "moto.elbv2.models": (
        "elbv2_backends",
        "ELBv2Backend.load_balancers",
        "ELBv2Backend.target_groups",
        "FakeLoadBalancer.listeners",
        "FakeLoadBalancer.attrs",
        "FakeLoadBalancer.dns_name",
        "FakeLoadBalancer.type",
        "FakeListener.rules",
        "FakeListener.default_actions",
        "FakeListener.certificates",
        "FakeListener.protocol",
        "FakeListener.port",
        "FakeListenerRule.priority",
        "FakeListenerRule.conditions",
        "FakeListenerRule.actions",
        "FakeRule.is_default",
        "FakeAction.data",
        "FakeTargetGroup.load_balancer_arns",
        "FakeTargetGroup.attributes",
        "FakeTargetGroup.target_type",
        "FakeTargetGroup.matcher",
        "FakeTargetGroup.health_check_port",
        "FakeTargetGroup.health_check_path",
        "FakeTargetGroup.health_check_protocol",
        "FakeTargetGroup.health_check_interval_seconds",
        "FakeTargetGroup.health_check_timeout_seconds",
        "FakeTargetGroup.healthy_threshold_count",
        "FakeTargetGroup.unhealthy_threshold_count",
    ),
    "moto.elbv2.responses": (
        "ELBV2Response.register_targets",
        "ELBV2Response.deregister_targets",
        "ELBV2Response.describe_target_health",
    ),
    "moto.iam": ("models",),
    "moto.iam.access_control": (
        "create_access_key",
        "CreateAccessKeyFailure",
        "IAMPolicy._policy_json",
        "IAMUserAccessKey.collect_policies",
        "AssumedRoleAccessKey.collect_policies",
        "PermissionResult.DENIED",
        "PermissionResult.NEUTRAL",
        "PermissionResult.PERMITTED",
    ),
    "moto.iam.responses": ("IamResponse",),
    "moto.iam.models": (
        "iam_backends",
        "IAMBackend.get_certificate_by_arn",
        "IAMBackend._init_aws_policies",
        "AWSManagedPolicy.from_data",
        "aws_managed_policies_data",
    ),
    "moto.logs.models": (
        "logs_backends",
        "LogsBackend.groups",
        "LogsBackend.ensure_log_group",
        "LogGroup.streams",
        "LogsBackend.ensure_log_stream",
        "LogsBackend.put_log_events",
    ),
    "moto.moto_server.werkzeug_app": (
        "DomainDispatcherApplication",
        "create_backend_app",
        "MotoRequestHandler",
        "BackendRequest",
    ),
    "moto.rds.models": (
        "rds_backends",
        "RDSBackend.databases",
        "RDSBackend.secretsmanager",
        "DBInstance.endpoint",
        "DBInstance.status",
        "DBInstance.port",
        "DBInstance.master_user_secret",
        "DBInstance.backend",
        "MasterUserSecret._generate_secret_string",
        "MasterUserSecret.secret",
        "MasterUserSecret.secret_arn",
        "MasterUserSecret.resource",
    ),
    "moto.rds.responses": (
        "RDSResponse.create_db_instance",
        "RDSResponse.modify_db_instance",
        "RDSResponse.delete_db_instance",
        "RDSResponse.start_db_instance",
        "RDSResponse.stop_db_instance",
        "RDSResponse.reboot_db_instance",
        "RDSResponse.create_db_snapshot",
    ),
    "moto.s3.models": (
        "s3_backends",
        "S3Backend.create_bucket",
        "S3Backend.buckets",
        "S3Backend.put_object",
        "S3Backend.tagger",
        "FakeBucket.get_permission",
        "FakeBucket.keys",
        "FakeBucket.policy",
        "FakeBucket.public_access_block",
        "FakeKey.value",
        "FakeKey.metadata",
        "FakeKey.storage_class",
        "FakeKey.encryption",
        "FakeKey.last_modified",
        "FakeKey.last_modified_RFC1123",
        "FakeKey.etag",
        "FakeKey.arn",
        "FakeKey.set_metadata",
        "PublicAccessBlock.restrict_public_buckets",
        "S3Backend.get_bucket",
    ),
    "moto.s3.responses": (
        "S3Response._bucket_response_post",
        "S3Response._get_path",
        "S3Response.is_delete_keys",
        "S3Response.backend",
    ),
    "moto.scheduler.models": (
        "scheduler_backends",
        "EventBridgeSchedulerBackend.schedule_groups",
        "EventBridgeSchedulerBackend.get_schedule",
        "ScheduleGroup.schedules",
        "Schedule.arn",
        "Schedule.name",
        "Schedule.group_name",
        "Schedule.creation_date",
        "Schedule.schedule_expression",
        "Schedule.schedule_expression_timezone",
        "Schedule.flexible_time_window",
        "Schedule.start_date",
        "Schedule.end_date",
        "Schedule.state",
        "Schedule.action_after_completion",
        "Schedule.target",
    ),
    "moto.scheduler.responses": (
        "EventBridgeSchedulerResponse.create_schedule",
        "EventBridgeSchedulerResponse.update_schedule",
        "EventBridgeSchedulerResponse.delete_schedule",
    ),
    "moto.secretsmanager.models": (
        "secretsmanager_backends",
        "SecretsManagerBackend.get_secret_value",
        "SecretsManagerBackend.put_secret_value",
        "FakeSecret.secret_string",
    ),
    "moto.ssm.models": ("ssm_backends", "SimpleSystemManagerBackend.get_parameters", "Parameter.response_object"),
    "moto.utilities": ("utils.load_resource",),
}

#: Functions that are called with keywords, and which.
KEYWORDS: dict[str, set[str]] = {
    "moto.ecs.models:EC2ContainerServiceBackend.register_task_definition": set(REGISTERED.values()),
    "moto.s3.models:S3Backend.put_object": {"storage", "etag", "disable_notification"},
    "moto.s3.models:FakeKey.set_metadata": {"replace"},
    "moto.secretsmanager.models:SecretsManagerBackend.put_secret_value": {
        "secret_id",
        "secret_string",
        "secret_binary",
        "client_request_token",
        "version_stages",
    },
    "moto.secretsmanager.models:SecretsManagerBackend.get_secret_value": {"secret_id", "version_id", "version_stage"},
    "moto.ssm.models:Parameter.response_object": {"decrypt"},
    "moto.ecr.models:ECRBackend.describe_repositories": {"repository_names"},
    "moto.ecr.models:ECRBackend.create_repository": {
        "repository_name",
        "registry_id",
        "encryption_config",
        "image_scan_config",
        "image_tag_mutability",
        "image_tag_mutability_exclusion_filters",
        "tags",
    },
}


def test_version_is_the_one_this_was_written_for() -> None:
    assert metadata.version("moto").startswith("5.2.")


@pytest.mark.parametrize("module", NAMES)
def test_names_are_there(module: str) -> None:
    loaded = importlib.import_module(module)
    assert [name for name in NAMES[module] if not _has(loaded, name)] == []


@pytest.mark.parametrize("function", KEYWORDS)
def test_keywords_are_taken(function: str) -> None:
    module, _, name = function.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    assert KEYWORDS[function] <= set(inspect.signature(found).parameters)


def test_routing_actions_of_the_load_balancer_are_there() -> None:
    from moto.elbv2.responses import ELBV2Response

    from seatrial.emulator.loadbalancing.api import ROUTING

    assert [name for name in ROUTING if name not in vars(ELBV2Response)] == []


def test_everything_imported_from_moto_is_in_the_table() -> None:
    missing = []
    for file in Path(seatrial.emulator.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "moto":
                held = {each.partition(".")[0] for each in NAMES.get(str(node.module), ())}
                missing += [f"{file.name}: {node.module}.{each.name}" for each in node.names if each.name not in held]
    assert missing == []


def test_a_function_set_on_a_response_class_answers_an_action() -> None:
    """moto lists a class's actions with ``inspect``; what is set later must be among them."""
    from moto.core.utils import method_names_from_class
    from moto.sts.responses import TokenResponse

    from seatrial.emulator.front.actions import install

    class Probe(TokenResponse):  # type: ignore[misc]  # moto is not typed here
        pass

    install(Probe, {"answer_of_ours": lambda _parameters: {}})
    assert "answer_of_ours" in method_names_from_class(Probe)


def _has(module: Any, name: str) -> bool:
    first, _, rest = name.partition(".")
    found = getattr(module, first, None)
    if found is None:
        return False
    return not rest or hasattr(found, rest) or rest in _assigned(found)


@cache
def _assigned(cls: Any) -> frozenset[str]:
    """Attributes that some method of the class or its bases sets on ``self``, or that the class body declares."""
    names: set[str] = set()
    for each in getattr(cls, "__mro__", ()):
        if not each.__module__.startswith("moto."):
            continue
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(each)))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(node.target.id)
    return frozenset(names)
