"""AWS::ECS::* but the service, and AWS::ECR::Repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.changes import alike
from seatrial.emulator.cloudformation.resources.coercion import coerce
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, Tagging

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.resources.work import Work


def _arn(work: Work) -> str:
    return (
        work.physical_id
        if work.physical_id.startswith("arn:")
        else work.place.arn("ecs", f"cluster/{work.physical_id}")
    )


ECS_TAGS = Tagging("tag_resource", "resourceArn", "tags", "untag_resource", "tagKeys", identity=_arn)
ECR_TAGS = Tagging(
    "tag_resource",
    "resourceArn",
    "tags",
    "untag_resource",
    "tagKeys",
    identity=lambda work: work.place.arn("ecr", f"repository/{work.physical_id}"),
)


# --- cluster ---------------------------------------------------------------------------------------------------------

_PROVIDERS = ("CapacityProviders", "DefaultCapacityProviderStrategy")


def _cluster_providers(work: Work, old: Properties | None) -> None:
    if old is not None and any(not alike(old.get(name), work.get(name)) for name in _PROVIDERS):
        _put_providers(
            work, work.physical_id, work.get("CapacityProviders"), work.get("DefaultCapacityProviderStrategy")
        )


def _put_providers(work: Work, cluster: str, providers: Any, strategy: Any) -> None:
    shape = work.shapes("ecs", "put_cluster_capacity_providers")
    work.call(
        "ecs",
        "put_cluster_capacity_providers",
        cluster=cluster,
        capacityProviders=list(providers or []),
        defaultCapacityProviderStrategy=coerce(shape.members["defaultCapacityProviderStrategy"], strategy or []),
    )


def _associate(work: Work) -> None:
    _put_providers(
        work, work.get("Cluster"), work.get("CapacityProviders"), work.get("DefaultCapacityProviderStrategy")
    )
    work.physical_id = str(work.get("Cluster"))


def _associate_anew(work: Work, _: Properties) -> None:
    _associate(work)


def _dissociate(work: Work) -> None:
    _put_providers(work, work.physical_id, [], [])


# --- repository ------------------------------------------------------------------------------------------------------


def _repository(work: Work, old: Properties | None) -> None:
    name, before = work.physical_id, old or {}
    lifecycle = (work.get("LifecyclePolicy") or {}).get("LifecyclePolicyText")
    if lifecycle and not alike(before.get("LifecyclePolicy"), work.get("LifecyclePolicy")):
        work.call("ecr", "put_lifecycle_policy", repositoryName=name, lifecyclePolicyText=lifecycle)
    elif before.get("LifecyclePolicy") and not lifecycle:
        work.call("ecr", "delete_lifecycle_policy", repositoryName=name)
    policy = work.get("RepositoryPolicyText")
    if policy and not alike(before.get("RepositoryPolicyText"), policy):
        shape = work.shapes("ecr", "set_repository_policy").members["policyText"]
        work.call("ecr", "set_repository_policy", repositoryName=name, policyText=coerce(shape, policy))
    elif before.get("RepositoryPolicyText") and not policy:
        work.call("ecr", "delete_repository_policy", repositoryName=name)
    if old is None:
        return
    if not alike(old.get("ImageTagMutability"), work.get("ImageTagMutability")):
        work.call(
            "ecr",
            "put_image_tag_mutability",
            repositoryName=name,
            imageTagMutability=work.get("ImageTagMutability", "MUTABLE"),
        )
    if not alike(old.get("ImageScanningConfiguration"), work.get("ImageScanningConfiguration")):
        scanning = work.get("ImageScanningConfiguration") or {"ScanOnPush": False}
        shape = work.shapes("ecr", "put_image_scanning_configuration").members["imageScanningConfiguration"]
        work.call(
            "ecr",
            "put_image_scanning_configuration",
            repositoryName=name,
            imageScanningConfiguration=coerce(shape, scanning),
        )


def _delete_repository(work: Work) -> None:
    force = str(work.get("EmptyOnDelete", False)).lower() == "true"
    work.call("ecr", "delete_repository", repositoryName=work.physical_id, force=force)


ROWS: dict[str, Row] = {
    "AWS::ECS::Cluster": Row(
        "ecs",
        "create_cluster",
        "cluster.clusterName",
        name=Name("ClusterName", limit=255),
        key="cluster",
        rename={"ClusterSettings": "settings"},
        update_call="update_cluster",
        delete_call="delete_cluster",
        attributes={"Arn": _arn},
        after=_cluster_providers,
        handles=frozenset(_PROVIDERS),
        tagging=ECS_TAGS,
    ),
    "AWS::ECS::ClusterCapacityProviderAssociations": Row(
        "ecs", on_create=_associate, on_update=_associate_anew, on_delete=_dissociate
    ),
    "AWS::ECS::TaskDefinition": Row(
        "ecs",
        "register_task_definition",
        "taskDefinition.taskDefinitionArn",
        name=Name("Family", limit=255, unique=False),
        key="taskDefinition",
        delete_call="deregister_task_definition",
        attributes={"TaskDefinitionArn": lambda work: work.physical_id},
        tagging=ECS_TAGS,
    ),
    "AWS::ECR::Repository": Row(
        "ecr",
        "create_repository",
        "repository.repositoryName",
        name=Name("RepositoryName", limit=256, lower=True),
        key="repositoryName",
        on_delete=_delete_repository,
        describe=("describe_repositories", "repositoryNames", "repositories[0]"),
        attributes={"Arn": "repositoryArn", "RepositoryUri": "repositoryUri"},
        after=_repository,
        handles=frozenset(
            {
                "LifecyclePolicy",
                "RepositoryPolicyText",
                "ImageTagMutability",
                "ImageScanningConfiguration",
                "EmptyOnDelete",
            }
        ),
        later=frozenset({"EmptyOnDelete"}),
        tagging=ECR_TAGS,
    ),
}
