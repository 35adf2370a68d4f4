"""What ``infra apply`` needs: its own calls, and what CloudFormation does in the caller's name.

The latter is computed: each resource type's registry schema lists the permissions of its handlers ("handlers" in the
CloudFormation CLI user guide, "Resource type schema"). cfn-lint carries those schemas, so it must be installed.
CloudFormation makes those calls with the caller's own permissions, and says so in ``aws:CalledVia``: nobody can use
them past it.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.aws.permission import Permission
from seatrial.config.strategies import CodeDeploy, Shifting
from seatrial.errors import UsageError
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.stack.graph import Bundle

_THROUGH_CLOUDFORMATION = (("ForAnyValue:StringEquals", "aws:CalledVia", "cloudformation.amazonaws.com"),)
#: Listing is for drift and imports, which are not done.
_HANDLERS = ("create", "read", "update", "delete")
_CHANGING = (
    "CreateChangeSet", "DeleteChangeSet", "DeleteStack", "DescribeChangeSet", "DescribeStackEvents", "DescribeStacks",
    "ExecuteChangeSet", "GetTemplate", "ListStackResources",
)  # fmt: skip
_BUCKET = ("CreateBucket", "ListBucket", "PutBucketOwnershipControls", "PutBucketPublicAccessBlock")


def infra_role(settings: Settings, bundles: Iterable[Bundle], aws: Aws) -> tuple[Permission, ...]:
    """Return what ``infra apply`` needs for these bundles.

    Raises :class:`~seatrial.errors.UsageError` without the registry schemas, or where they do not know a type.
    """
    bundles = tuple(bundles)
    types = {each.type for bundle in bundles for template in bundle.templates for each in template.resources.values()}
    return (*_own(settings, bundles, aws), *_handlers(settings, types, aws))


def _own(settings: Settings, bundles: Iterable[Bundle], aws: Aws) -> Iterator[Permission]:
    place = f"{aws.region}:{aws.account()}"
    # Nested stacks are called STACK-NAME-RANDOM.
    stacks = tuple(
        f"arn:{aws.partition}:cloudformation:{place}:stack/{bundle.stack}{end}/*"
        for bundle in bundles
        for end in ("", "-*")
    )
    yield Permission(tuple(f"cloudformation:{each}" for each in _CHANGING), stacks, "make and follow change sets")
    bucket = f"arn:{aws.partition}:s3:::{names.artifacts_bucket(settings, aws.account(), aws.region)}"
    yield Permission(
        (*(f"s3:{each}" for each in _BUCKET), "s3:PutEncryptionConfiguration"), (bucket,), "keep templates and logs"
    )
    yield Permission(("s3:GetObject", "s3:PutObject"), (f"{bucket}/templates/*",), "hand the templates over")
    cluster = names.cluster(settings)
    services = tuple(f"arn:{aws.partition}:ecs:{place}:service/{cluster}/{unit}" for unit in settings.services)
    yield Permission(("ecs:DescribeServices",), services, "see which image is live")
    yield Permission(
        ("ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"),
        ("*",),
        "remove what a failed release left",
    )
    yield from _shifting(settings, f"arn:{aws.partition}:ecs:{place}")
    if isinstance(settings.target.strategy, CodeDeploy):
        application = names.deployment_application(settings)
        routed = (unit for unit, service in settings.services.items() if service.routed)
        yield Permission(
            ("codedeploy:GetDeploymentGroup", "codedeploy:ListDeployments"),
            tuple(f"arn:{aws.partition}:codedeploy:{place}:deploymentgroup:{application}/{unit}" for unit in routed),
            "see which target group serves",
        )


def _shifting(settings: Settings, ecs: str) -> Iterator[Permission]:
    """Yield what traffic that is shifted needs; that it was shifted up to now is seen by its rules only."""
    routed = [unit for unit, service in settings.services.items() if service.routed]
    if routed:
        yield Permission(
            tuple(f"elasticloadbalancing:Describe{what}" for what in ("Listeners", "Rules", "TargetGroups")),
            ("*",),
            "see which target group serves",
        )
    if isinstance(settings.target.strategy, Shifting):
        cluster = names.cluster(settings)
        yield Permission(
            ("ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments"),
            tuple(f"{ecs}:service/{cluster}/{unit}" for unit in routed),
            "find the deployments that the change starts",
        )
        yield Permission(
            ("ecs:ContinueServiceDeployment", "ecs:DescribeServiceDeployments"),
            tuple(f"{ecs}:service-deployment/{cluster}/{unit}/*" for unit in routed),
            "let them go on where they pause for smoke checks",
        )


def _handlers(settings: Settings, types: Iterable[str], aws: Aws) -> Iterator[Permission]:
    """Yield what the types' handlers call. IAM's calls are limited to this app's roles: their names begin with it."""
    actions = {action for each in sorted(types) for action in _permissions_of(each)}
    linked = {each for each in actions if each.endswith("ServiceLinkedRole")}
    roles = {each for each in actions if each.startswith("iam:")} - linked
    everywhere = actions - linked - roles
    account = f"arn:{aws.partition}:iam::{aws.account()}:role"
    for what, resource, purpose in (
        (everywhere, "*", "create, change and delete the resources"),
        (roles, f"{account}/{settings.app.name}-*", "make the roles, and hand them over"),
        (linked, f"{account}/aws-service-role/*", "let AWS make its own roles"),
    ):
        if what:
            yield Permission(tuple(sorted(what)), (resource,), purpose, _THROUGH_CLOUDFORMATION)


def _permissions_of(type_: str) -> Iterator[str]:
    handlers = _schema(type_).get("handlers", {})
    for each in _HANDLERS:
        yield from handlers.get(each, {}).get("permissions", ())


def _schema(type_: str) -> dict[str, dict[str, dict[str, list[str]]]]:
    found = importlib.util.find_spec("cfnlint")
    if found is None or found.origin is None:
        raise UsageError(
            "the permissions of resource types are not installed", hint="install seatrial[emulator], which has cfn-lint"
        )
    schemas = Path(found.origin).parent / "data" / "schemas"
    types = json.loads((schemas / "providers" / "us-east-1.json").read_text(encoding="utf-8"))
    if type_ not in types:
        raise UsageError(f"the registry's schemas do not know {type_}")
    schema: dict[str, dict[str, dict[str, list[str]]]] = json.loads(
        (schemas / "resources" / f"{types[type_]}.json").read_text(encoding="utf-8")
    )
    return schema
