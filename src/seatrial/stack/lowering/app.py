"""The app stack: the environment's foundation, then services, then tasks and jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.stack import names
from seatrial.stack.graph import (
    Bundle,
    Equals,
    GetAtt,
    If,
    NestedTemplate,
    Not,
    Output,
    Parameter,
    Ref,
    Resource,
    Sub,
    Template,
    parameters_needed,
)
from seatrial.stack.lowering.codedeploy import deployments
from seatrial.stack.lowering.deployments import HOOK_ROLE
from seatrial.stack.lowering.foundation import foundation_template
from seatrial.stack.lowering.naming import distinct, imported, own_url
from seatrial.stack.lowering.policies import hook_role, traffic_role
from seatrial.stack.lowering.site import site_template
from seatrial.stack.lowering.traffic import TRAFFIC_ROLE, rule_ids, serves_alternate, target_groups, test_listener
from seatrial.stack.lowering.units import is_live, job, secret_parameter, service, task_definition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.stack.graph import Value
    from seatrial.stack.model import App, Stack, TestEntry

_HAS_IMAGE = "HasImage"
_BOOLEANS = ("false", "true")
_GROUPS = ("primary", "alternate")

_DESCRIPTIONS = {
    names.IMAGE_PARAMETER: "Image that revisions are written with",
    "ClusterArn": "The cluster",
    "ExecutionRoleArn": "Role that ECS starts tasks with",
    "TaskRoleArn": "Role that the project's code has",
    "TaskSecurityGroup": "Security group of the tasks",
    "MediaBucketName": "Bucket for uploads",
    "SiteUrl": "Where the site answers",
}


def app_bundle(stack: Stack) -> Bundle:
    """Return the templates of the app stack.

    Raises :class:`~seatrial.errors.UsageError` where two names would become one logical name.
    """
    app = stack.app
    distinct((container.unit for container in app.containers), what="services, tasks and jobs")
    distinct((secret.variable for secret in app.secrets), what="secrets")
    foundation = foundation_template(stack)
    nested = {"Foundation": foundation}
    if app.site is not None:
        nested["Site"] = site_template(app.site)
    nested["Services"] = _services_template(stack)
    if app.tasks or app.jobs:
        nested["Tasks"] = _tasks_template(stack)
    resources = {logical_id: _stack(template, _sources(stack, foundation)) for logical_id, template in nested.items()}
    if stack.base.ingress.domain is not None and stack.base.ingress.certificate is not None:
        resources["DomainCertificate"] = Resource(
            "AWS::ElasticLoadBalancingV2::ListenerCertificate",
            {
                "ListenerArn": imported(stack.base.name, "HttpsListenerArn"),
                "Certificates": [{"CertificateArn": stack.base.ingress.certificate}],
            },
            why="Each environment brings its own: the listener's default is that of whichever made the base",
        )
    root = Template(
        name="app",
        description=f"{app.name}: one environment. Releases are not updates of this stack: they move its services",
        parameters=_parameters(app),
        conditions={_HAS_IMAGE: Not(Equals(Ref(names.IMAGE_PARAMETER), ""))},
        resources=resources,
        outputs=_outputs(stack),
    )
    return Bundle(layer="app", stack=app.name, root=root, nested=tuple(nested.values()))


def _parameters(app: App) -> dict[str, Parameter]:
    parameters = {
        names.IMAGE_PARAMETER: Parameter(
            "Image of the live release, which the next revisions are written with; empty before the first", default=""
        )
    }
    for unit in app.services:
        if unit.deployment.codedeploy is None:
            parameters[names.released_parameter(unit.container.unit)] = Parameter(
                f"Whether a release has been to the service {unit.container.unit}; if not, it is made with no tasks",
                default="false",
                allowed=_BOOLEANS,
            )
        if unit.deployment.paired:
            parameters[names.serving_parameter(unit.container.unit)] = Parameter(
                f"Which of its two target groups serves {unit.container.unit}; releases let them take turns",
                default="primary",
                allowed=_GROUPS,
            )
    for job_ in app.jobs:
        parameters[names.released_parameter(job_.container.unit)] = Parameter(
            f"Whether a release has been to the job {job_.container.unit}; if not, its schedule is off",
            default="false",
            allowed=_BOOLEANS,
        )
    return parameters


def _sources(stack: Stack, foundation: Template) -> dict[str, Value]:
    """Return where the root has each parameter of its nested stacks from."""
    repository = imported(stack.base.name, "RepositoryUri")
    sources: dict[str, Value] = {name: GetAtt("Foundation", f"Outputs.{name}") for name in foundation.outputs}
    sources["SiteUrl"] = GetAtt("Site", "Outputs.SiteUrl")
    sources[names.IMAGE_PARAMETER] = If(
        _HAS_IMAGE,
        Ref(names.IMAGE_PARAMETER),
        Sub(f"${{Repository}}:{names.NO_IMAGE_TAG}", (("Repository", repository),)),
    )
    for name in _parameters(stack.app):
        if name != names.IMAGE_PARAMETER:
            sources[name] = Ref(name)
    return sources


def _stack(template: Template, sources: Mapping[str, Value]) -> Resource:
    properties: dict[str, Value] = {"TemplateURL": NestedTemplate(template.name)}
    if template.parameters:
        properties["Parameters"] = {name: sources[name] for name in template.parameters}
    return Resource("AWS::CloudFormation::Stack", properties, deletion_policy="Delete", update_replace_policy="Delete")


def _services_template(stack: Stack) -> Template:
    resources: dict[str, Resource] = {}
    conditions: dict[str, Value] = {}
    shifted = [unit for unit in stack.app.services if unit.deployment.shifts]
    if stack.app.test_entry is not None:
        resources |= test_listener(stack, stack.app.test_entry)
    if shifted:
        groups = [group for unit in shifted for group in target_groups(unit)]
        resources[TRAFFIC_ROLE] = traffic_role(groups, [rule for unit in shifted for rule in rule_ids(unit)])
    if functions := [hook.function for unit in shifted for hook in unit.deployment.hooks]:
        resources[HOOK_ROLE] = hook_role(functions)
    resources |= deployments(stack)
    for unit in stack.app.services:
        resources |= service(unit, stack.base.name)
        if unit.deployment.codedeploy is None:
            conditions[is_live(unit)] = Equals(Ref(names.released_parameter(unit.container.unit)), "true")
        if unit.deployment.paired:
            conditions[serves_alternate(unit)] = Equals(Ref(names.serving_parameter(unit.container.unit)), "alternate")
    return Template(
        name="services",
        description="Services with their task definitions, target groups and listener rules",
        parameters=_declared(stack.app, resources, conditions),
        conditions=conditions,
        resources=resources,
    )


def _tasks_template(stack: Stack) -> Template:
    resources: dict[str, Resource] = {}
    conditions: dict[str, Value] = {}
    for task in stack.app.tasks:
        resources[f"{names.logical(task.container.unit)}TaskDefinition"] = task_definition(
            task.container, stack.base.name
        )
    for unit in stack.app.jobs:
        resources |= job(unit, stack.base.name)
        conditions[is_live(unit)] = Equals(Ref(names.released_parameter(unit.container.unit)), "true")
    return Template(
        name="tasks",
        description="One-off tasks, and jobs with their schedules",
        parameters=_declared(stack.app, resources, conditions),
        conditions=conditions,
        resources=resources,
    )


def _declared(app: App, resources: Mapping[str, Resource], conditions: Mapping[str, Value]) -> dict[str, Parameter]:
    """Return the parameters of a nested template: whatever it refers to and does not make."""
    containers = [*(unit.container for unit in app.services), *(unit.container for unit in app.jobs)]
    booleans = {names.released_parameter(container.unit) for container in containers}
    groups = {names.serving_parameter(unit.container.unit) for unit in app.services}
    secrets = {secret_parameter(secret.variable): secret.variable for secret in app.secrets}
    declared = {}
    for name in parameters_needed(resources, conditions):
        if name in booleans:
            declared[name] = Parameter("Whether a release has been here", allowed=_BOOLEANS)
        elif name in groups:
            declared[name] = Parameter("Which target group serves", allowed=_GROUPS)
        elif name in secrets:
            declared[name] = Parameter(f"ARN of the secret {secrets[name]}; not its value")
        else:
            declared[name] = Parameter(_DESCRIPTIONS[name])
    return declared


def _outputs(stack: Stack) -> dict[str, Output]:
    base = stack.base.name
    domain = stack.base.ingress.domain
    dns = imported(base, "LoadBalancerDns")
    values: dict[str, tuple[str, Value]] = {
        "ClusterName": ("Cluster", GetAtt("Foundation", "Outputs.ClusterName")),
        "RepositoryUri": ("Where images are pushed to", imported(base, "RepositoryUri")),
        "TaskSubnets": ("Subnets that tasks run in", imported(base, "TaskSubnets")),
        "TaskSecurityGroup": ("Security group of the tasks", GetAtt("Foundation", "Outputs.TaskSecurityGroup")),
        "AssignPublicIp": ("Whether tasks have public addresses", imported(base, "AssignPublicIp")),
        "Url": ("Where the environment answers", own_url(stack)),
    }
    order: tuple[str, ...] = names.APP_OUTPUTS
    if stack.app.test_entry is not None:
        values |= _test_outputs(stack.app.test_entry, dns, domain)
        order += names.TEST_OUTPUTS
    outputs = {name: Output(*values[name]) for name in order}
    if stack.app.site is not None:
        for name, output in site_template(stack.app.site).outputs.items():
            outputs[name] = replace(output, value=GetAtt("Site", f"Outputs.{name}"))
    return outputs


def _test_outputs(entry: TestEntry, dns: Value, domain: str | None) -> dict[str, tuple[str, Value]]:
    address = Sub(f"${{Host}}:{entry.port}", (("Host", dns),))
    return {
        "TestAddress": ("The load balancer's name and port for it", address),
        "TestUrl": (
            "Where only a new version answers while it is tested",
            Sub(f"http://${{Host}}:{entry.port}", (("Host", dns),))
            if domain is None
            else f"https://{domain}:{entry.port}",
        ),
    }
