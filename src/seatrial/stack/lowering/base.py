"""The base stack: network, load balancer, registry and, where there are any, database and cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack.graph import Bundle, GetAtt, NestedTemplate, Output, Parameter, Ref, Resource, Template
from seatrial.stack.lowering.data import DATABASE_NAME, data_template
from seatrial.stack.lowering.ingress import ingress_template
from seatrial.stack.lowering.naming import export_name
from seatrial.stack.lowering.network import network_template
from seatrial.stack.lowering.registry import registry_template

if TYPE_CHECKING:
    from seatrial.stack.graph import Value
    from seatrial.stack.model import Base

#: What a nested stack is passed: parameter → where the root has it from.
_PASSED: dict[str, Value] = {
    DATABASE_NAME: Ref(DATABASE_NAME),
    "VpcId": GetAtt("Network", "Outputs.VpcId"),
    "VpcCidr": GetAtt("Network", "Outputs.VpcCidr"),
    "PublicSubnets": GetAtt("Network", "Outputs.PublicSubnets"),
    "PrivateSubnets": GetAtt("Network", "Outputs.PrivateSubnets"),
}


def base_bundle(base: Base) -> Bundle:
    """Return the templates of the base stack."""
    nested = {
        "Network": network_template(base.network),
        "Ingress": ingress_template(base.ingress),
        "Registry": registry_template(base.registry),
    }
    if base.database is not None or base.cache is not None:
        nested["Data"] = data_template(base.database, base.cache)
    root = Template(
        name="base",
        description=f"{base.name}: what environments share: network, load balancer, registry, database and cache",
        parameters=_parameters(base),
        resources={logical_id: _stack(template) for logical_id, template in nested.items()},
        outputs={
            name: Output(output.description, GetAtt(logical_id, f"Outputs.{name}"), export=export_name(base.name, name))
            for logical_id, template in nested.items()
            for name, output in template.outputs.items()
            if name in _EXPORTED
        },
    )
    return Bundle(layer="base", stack=base.name, root=root, nested=tuple(nested.values()))


def _parameters(base: Base) -> dict[str, Parameter]:
    if base.database is None:
        return {}
    description = (
        "Database that the instance is created with. Keep it when updating: another name would replace the instance"
    )
    return {DATABASE_NAME: Parameter(description, default=base.database.name)}


def _stack(template: Template) -> Resource:
    passed = {name: _PASSED[name] for name in template.parameters}
    properties: dict[str, Value] = {"TemplateURL": NestedTemplate(template.name)}
    if passed:
        properties["Parameters"] = passed
    # Deleting this root deletes the nested stacks, whose own policies keep the data.
    return Resource("AWS::CloudFormation::Stack", properties, deletion_policy="Delete", update_replace_policy="Delete")


#: What app stacks import. CloudFormation refuses to change or delete an export that is imported, so no change of a
#: base can pull the ground from under an environment.
_EXPORTED = frozenset(
    {
        "VpcId",
        "TaskSubnets",
        "AssignPublicIp",
        "CertificateArn",
        "LoadBalancerArn",
        "LoadBalancerSecurityGroup",
        "LoadBalancerDns",
        "HttpListenerArn",
        "HttpsListenerArn",
        "RepositoryUri",
        "RepositoryArn",
        "DatabaseHost",
        "DatabasePort",
        "DatabaseSecretArn",
        "DatabaseSecurityGroup",
        "CacheHost",
        "CachePort",
        "CacheSecurityGroup",
    }
)
