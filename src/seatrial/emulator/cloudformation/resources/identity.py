"""AWS::IAM::*: roles, policies, instance profiles, OpenID Connect providers."""

from __future__ import annotations

import json
from typing import Any

from seatrial.emulator.cloudformation.changes import alike
from seatrial.emulator.cloudformation.resources.row import Name, Properties, Row, Tagging
from seatrial.emulator.cloudformation.resources.work import Work, generated_name


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


# --- role ------------------------------------------------------------------------------------------------------------

_ROLE_HANDLES = (
    "AssumeRolePolicyDocument",
    "ManagedPolicyArns",
    "Policies",
    "PermissionsBoundary",
    "MaxSessionDuration",
    "Description",
)


def _role(work: Work, old: Properties | None) -> None:
    name, before = work.physical_id, old or {}
    _bring_attachments(work, before.get("ManagedPolicyArns") or [], work.get("ManagedPolicyArns") or [])
    _bring_policies(work, before.get("Policies") or [], work.get("Policies") or [])
    if old is None:
        return
    if not alike(old.get("AssumeRolePolicyDocument"), work.get("AssumeRolePolicyDocument")):
        document = _text(work.get("AssumeRolePolicyDocument"))
        work.call("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=document)
    boundary = work.get("PermissionsBoundary")
    if not alike(old.get("PermissionsBoundary"), boundary):
        if boundary:
            work.call("iam", "put_role_permissions_boundary", RoleName=name, PermissionsBoundary=boundary)
        else:
            work.call("iam", "delete_role_permissions_boundary", RoleName=name)
    if any(not alike(old.get(key), work.get(key)) for key in ("MaxSessionDuration", "Description")):
        duration = int(work.get("MaxSessionDuration", 3600))
        work.call(
            "iam", "update_role", RoleName=name, Description=work.get("Description", ""), MaxSessionDuration=duration
        )


def _bring_attachments(work: Work, before: list[str], after: list[str]) -> None:
    for arn in after:
        if arn not in before:
            work.call("iam", "attach_role_policy", RoleName=work.physical_id, PolicyArn=arn)
    for arn in before:
        if arn not in after:
            work.call("iam", "detach_role_policy", RoleName=work.physical_id, PolicyArn=arn)


def _bring_policies(work: Work, before: list[Any], after: list[Any]) -> None:
    names = {policy["PolicyName"] for policy in after}
    for policy in before:
        if policy["PolicyName"] not in names:
            work.call("iam", "delete_role_policy", RoleName=work.physical_id, PolicyName=policy["PolicyName"])
    for policy in after:
        if not any(alike(policy, other) for other in before):
            work.call(
                "iam",
                "put_role_policy",
                RoleName=work.physical_id,
                PolicyName=policy["PolicyName"],
                PolicyDocument=_text(policy["PolicyDocument"]),
            )


def _strip_role(work: Work) -> None:
    """IAM deletes no role that still has policies; those of the template go with it, others keep it from going."""
    attached = work.call("iam", "list_attached_role_policies", RoleName=work.physical_id)["AttachedPolicies"]
    ours = set(work.get("ManagedPolicyArns") or [])
    for policy in attached:
        if policy["PolicyArn"] in ours:
            work.call("iam", "detach_role_policy", RoleName=work.physical_id, PolicyArn=policy["PolicyArn"])
    for policy in work.get("Policies") or []:
        work.call("iam", "delete_role_policy", RoleName=work.physical_id, PolicyName=policy["PolicyName"])


# --- inline policy on roles, groups and users -----------------------------------------------------------------------

_HOLDERS = (("Roles", "role", "RoleName"), ("Groups", "group", "GroupName"), ("Users", "user", "UserName"))


def _put_policy(work: Work) -> None:
    for property_name, kind, key in _HOLDERS:
        for holder in work.get(property_name) or []:
            work.call(
                "iam",
                f"put_{kind}_policy",
                **{key: holder},
                PolicyName=work.get("PolicyName"),
                PolicyDocument=_text(work.get("PolicyDocument")),
            )
    work.physical_id = work.physical_id or generated_name(work.place.stack, work.logical_id, limit=128)


def _put_policy_anew(work: Work, old: Properties) -> None:
    _put_policy(work)
    renamed = not alike(old.get("PolicyName"), work.get("PolicyName"))
    for property_name, kind, key in _HOLDERS:
        for holder in old.get(property_name) or []:
            if renamed or holder not in (work.get(property_name) or []):
                work.call("iam", f"delete_{kind}_policy", **{key: holder}, PolicyName=old["PolicyName"])


def _delete_policy(work: Work) -> None:
    for property_name, kind, key in _HOLDERS:
        for holder in work.get(property_name) or []:
            work.call("iam", f"delete_{kind}_policy", **{key: holder}, PolicyName=work.get("PolicyName"))


# --- managed policy --------------------------------------------------------------------------------------------------


def _managed_policy(work: Work, old: Properties | None) -> None:
    before = old or {}
    for property_name, kind, key in _HOLDERS:
        present, wanted = before.get(property_name) or [], work.get(property_name) or []
        for holder in wanted:
            if holder not in present:
                work.call("iam", f"attach_{kind}_policy", **{key: holder}, PolicyArn=work.physical_id)
        for holder in present:
            if holder not in wanted:
                work.call("iam", f"detach_{kind}_policy", **{key: holder}, PolicyArn=work.physical_id)
    if old is None or alike(old.get("PolicyDocument"), work.get("PolicyDocument")):
        return
    versions = work.call("iam", "list_policy_versions", PolicyArn=work.physical_id)["Versions"]
    if len(versions) >= 5:  # IAM keeps five
        oldest = next(version for version in reversed(versions) if not version["IsDefaultVersion"])
        work.call("iam", "delete_policy_version", PolicyArn=work.physical_id, VersionId=oldest["VersionId"])
    work.call(
        "iam",
        "create_policy_version",
        PolicyArn=work.physical_id,
        PolicyDocument=_text(work.get("PolicyDocument")),
        SetAsDefault=True,
    )


def _strip_managed_policy(work: Work) -> None:
    for property_name, kind, key in _HOLDERS:
        for holder in work.get(property_name) or []:
            work.call("iam", f"detach_{kind}_policy", **{key: holder}, PolicyArn=work.physical_id)
    for version in work.call("iam", "list_policy_versions", PolicyArn=work.physical_id)["Versions"]:
        if not version["IsDefaultVersion"]:
            work.call("iam", "delete_policy_version", PolicyArn=work.physical_id, VersionId=version["VersionId"])


# --- instance profile, OpenID Connect --------------------------------------------------------------------------------


def _profile_roles(work: Work, old: Properties | None) -> None:
    before, after = (old or {}).get("Roles") or [], work.get("Roles") or []
    for role in before:
        if role not in after:
            work.call("iam", "remove_role_from_instance_profile", InstanceProfileName=work.physical_id, RoleName=role)
    for role in after:
        if role not in before:
            work.call("iam", "add_role_to_instance_profile", InstanceProfileName=work.physical_id, RoleName=role)


def _strip_profile(work: Work) -> None:
    for role in work.get("Roles") or []:
        work.call("iam", "remove_role_from_instance_profile", InstanceProfileName=work.physical_id, RoleName=role)


def _oidc(work: Work, old: Properties | None) -> None:
    if old is None:
        return
    if not alike(old.get("ThumbprintList"), work.get("ThumbprintList")):
        work.call(
            "iam",
            "update_open_id_connect_provider_thumbprint",
            OpenIDConnectProviderArn=work.physical_id,
            ThumbprintList=work.get("ThumbprintList") or [],
        )
    before, after = old.get("ClientIdList") or [], work.get("ClientIdList") or []
    for operation, clients in (
        ("add_client_id_to_open_id_connect_provider", [client for client in after if client not in before]),
        ("remove_client_id_from_open_id_connect_provider", [client for client in before if client not in after]),
    ):
        for client in clients:
            work.call("iam", operation, OpenIDConnectProviderArn=work.physical_id, ClientID=client)


def _thumbprint(_: Work, properties: dict[str, Any]) -> dict[str, Any]:
    """AWS fetches the thumbprint itself where none is given; here nobody does, and the API wants a list."""
    properties.setdefault("ThumbprintList", ["0" * 40])
    return properties


ROWS: dict[str, Row] = {
    "AWS::IAM::Role": Row(
        "iam",
        "create_role",
        "Role.RoleName",
        name=Name("RoleName"),
        key="RoleName",
        before_delete=_strip_role,
        delete_call="delete_role",
        describe=("get_role", "RoleName", "Role"),
        attributes={"Arn": "Arn", "RoleId": "RoleId"},
        after=_role,
        handles=frozenset(_ROLE_HANDLES),
        tagging=Tagging("tag_role", "RoleName", "Tags", "untag_role"),
    ),
    "AWS::IAM::Policy": Row(
        "iam",
        on_create=_put_policy,
        on_update=_put_policy_anew,
        on_delete=_delete_policy,
        attributes={"Id": lambda work: work.physical_id},
    ),
    "AWS::IAM::ManagedPolicy": Row(
        "iam",
        "create_policy",
        "Policy.Arn",
        name=Name("ManagedPolicyName", limit=128),
        key="PolicyArn",
        rename={"ManagedPolicyName": "PolicyName"},
        before_delete=_strip_managed_policy,
        delete_call="delete_policy",
        describe=("get_policy", "PolicyArn", "Policy"),
        attributes={
            "PolicyArn": "Arn",
            "PolicyId": "PolicyId",
            "DefaultVersionId": "DefaultVersionId",
            "AttachmentCount": "AttachmentCount",
            "IsAttachable": "IsAttachable",
        },
        after=_managed_policy,
        handles=frozenset({"PolicyDocument", "Roles", "Groups", "Users"}),
    ),
    "AWS::IAM::InstanceProfile": Row(
        "iam",
        "create_instance_profile",
        "InstanceProfile.InstanceProfileName",
        name=Name("InstanceProfileName", limit=128),
        key="InstanceProfileName",
        before_delete=_strip_profile,
        delete_call="delete_instance_profile",
        describe=("get_instance_profile", "InstanceProfileName", "InstanceProfile"),
        attributes={"Arn": "Arn"},
        after=_profile_roles,
        handles=frozenset({"Roles"}),
        tagging=Tagging("tag_instance_profile", "InstanceProfileName", "Tags", "untag_instance_profile"),
    ),
    "AWS::IAM::OIDCProvider": Row(
        "iam",
        "create_open_id_connect_provider",
        "OpenIDConnectProviderArn",
        key="OpenIDConnectProviderArn",
        prepare=_thumbprint,
        delete_call="delete_open_id_connect_provider",
        attributes={"Arn": lambda work: work.physical_id},
        after=_oidc,
        handles=frozenset({"ThumbprintList", "ClientIdList"}),
        tagging=Tagging(
            "tag_open_id_connect_provider", "OpenIDConnectProviderArn", "Tags", "untag_open_id_connect_provider"
        ),
    ),
}
