"""CloudFormation's API actions: requests in, answers out, as boto3 sends and gives them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.drafts import IAM_NAMES, required_capabilities
from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.graph import judge_references
from seatrial.emulator.cloudformation.intrinsics import text
from seatrial.emulator.cloudformation.requests import Request, refuse
from seatrial.emulator.front.actions import Action, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seatrial.emulator.cloudformation.changesets import ChangeSet
    from seatrial.emulator.cloudformation.engine import CloudFormationEngine
    from seatrial.emulator.cloudformation.stacks import Resource, Stack
    from seatrial.emulator.cloudformation.template import Template

PAGE = 100

Answer = dict[str, Any]


class Api:
    """The actions of one engine."""

    def __init__(self, engine: CloudFormationEngine) -> None:
        self._engine = engine
        self._stacks = engine.stacks

    def actions(self) -> dict[str, Action]:
        """Return action name → function."""
        named: list[Callable[[Request], Answer]] = [
            self.create_stack,
            self.update_stack,
            self.delete_stack,
            self.continue_update_rollback,
            self.cancel_update_stack,
            self.update_termination_protection,
            self.describe_stacks,
            self.list_stacks,
            self.describe_stack_events,
            self.describe_stack_resources,
            self.describe_stack_resource,
            self.list_stack_resources,
            self.get_template,
            self.get_template_summary,
            self.validate_template,
            self.create_change_set,
            self.describe_change_set,
            self.execute_change_set,
            self.delete_change_set,
            self.list_change_sets,
            self.list_exports,
            self.list_imports,
        ]
        return {action.__name__: action for action in named}

    # --- stacks ------------------------------------------------------------------------------------------------------

    def create_stack(self, request: Request) -> Answer:
        """CreateStack."""
        return {"StackId": self._engine.create_stack(request).id}

    def update_stack(self, request: Request) -> Answer:
        """UpdateStack."""
        return {"StackId": self._engine.update_stack(request).id}

    def delete_stack(self, request: Request) -> Answer:
        """DeleteStack."""
        self._engine.delete_stack(request)
        return {}

    def continue_update_rollback(self, request: Request) -> Answer:
        """ContinueUpdateRollback."""
        self._engine.continue_rollback(request)
        return {}

    def cancel_update_stack(self, request: Request) -> Answer:
        """CancelUpdateStack."""
        self._engine.cancel_update(request)
        return {}

    def update_termination_protection(self, request: Request) -> Answer:
        """UpdateTerminationProtection."""
        stack = self._engine.existing(str(request["StackName"]))
        if stack.parent:
            raise refuse(
                f"Termination protection cannot be updated on the nested stack [{stack.name}]; update its root stack."
            )
        stack.protected = bool(request["EnableTerminationProtection"])
        return {"StackId": stack.id}

    def describe_stacks(self, request: Request) -> Answer:
        """DescribeStacks."""
        name = request.get("StackName")
        if name:
            return {"Stacks": [_stack(self._engine.existing(str(name), "Stack with id {name} does not exist"))]}
        return _page([_stack(stack) for stack in self._stacks.alive()], request, "Stacks")

    def list_stacks(self, request: Request) -> Answer:
        """ListStacks."""
        wanted = set(request.get("StackStatusFilter") or ())
        found = [_summary(stack) for stack in self._stacks.all() if not wanted or stack.status in wanted]
        return _page(found, request, "StackSummaries")

    def describe_stack_events(self, request: Request) -> Answer:
        """DescribeStackEvents."""
        stack = self._engine.existing(str(request["StackName"]))
        return _page(list(stack.events), request, "StackEvents")

    # --- resources ---------------------------------------------------------------------------------------------------

    def describe_stack_resources(self, request: Request) -> Answer:
        """DescribeStackResources."""
        wanted = request.get("LogicalResourceId")
        if request.get("StackName"):
            stack = self._engine.existing(str(request["StackName"]), "Stack with id {name} does not exist")
            found = [(stack, resource) for resource in stack.resources.values()]
        else:
            physical = request.get("PhysicalResourceId")
            owners = [
                stack
                for stack in self._stacks.alive()
                if any(resource.physical_id == physical for resource in stack.resources.values())
            ]
            if not owners:
                raise refuse(f"Stack for {physical} does not exist")
            found = [(owners[0], resource) for resource in owners[0].resources.values()]
        return {
            "StackResources": [
                {**self._resource(stack, resource), "Timestamp": resource.updated}
                for stack, resource in found
                if not wanted or resource.logical_id == wanted
            ]
        }

    def describe_stack_resource(self, request: Request) -> Answer:
        """DescribeStackResource."""
        stack = self._engine.existing(str(request["StackName"]), "Stack '{name}' does not exist")
        resource = stack.resources.get(str(request["LogicalResourceId"]))
        if resource is None:
            raise refuse(f"Resource {request['LogicalResourceId']} does not exist for stack {stack.name}")
        detail = {**self._resource(stack, resource), "LastUpdatedTimestamp": resource.updated}
        if resource.definition.get("Metadata"):
            detail["Metadata"] = json.dumps(resource.definition["Metadata"])
        return {"StackResourceDetail": detail}

    def list_stack_resources(self, request: Request) -> Answer:
        """ListStackResources."""
        stack = self._engine.existing(str(request["StackName"]), "Stack with id {name} does not exist")
        found = [
            {
                name: value
                for name, value in self._resource(stack, resource).items()
                if name not in {"StackId", "StackName"}
            }
            | {"LastUpdatedTimestamp": resource.updated}
            for resource in stack.resources.values()
        ]
        return _page(found, request, "StackResourceSummaries")

    # --- templates ---------------------------------------------------------------------------------------------------

    def get_template(self, request: Request) -> Answer:
        """GetTemplate: the text as it was given."""
        if request.get("ChangeSetName"):
            change_set = self._change_set(request)
            if change_set.blueprint is None:
                raise refuse(f"ChangeSet [{change_set.id}] has no template: {change_set.reason}")
            template = change_set.blueprint.template
        else:
            stack = self._engine.existing(str(request["StackName"]), "Stack with id {name} does not exist")
            if stack.blueprint is None:
                raise refuse(f"Stack with id {request['StackName']} does not exist")
            template = stack.blueprint.template
        return {"TemplateBody": template.body, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, request: Request) -> Answer:
        """GetTemplateSummary."""
        template = self._asked_template(request)
        answer = {
            **_declared(template),
            "ResourceTypes": list(dict.fromkeys(str(entry["Type"]) for entry in template.resources.values())),
            "Version": "2010-09-09",
        }
        if template.document.get("Metadata"):
            answer["Metadata"] = json.dumps(template.document["Metadata"])
        return answer

    def validate_template(self, request: Request) -> Answer:
        """ValidateTemplate: format and references, as AWS judges them without parameters."""
        template = self._asked_template(request)
        try:
            judge_references(template)
        except TemplateError as error:
            raise refuse(str(error)) from error
        answer = _declared(template)
        return {
            **answer,
            "Parameters": [
                {
                    name: value
                    for name, value in parameter.items()
                    if name in {"ParameterKey", "DefaultValue", "NoEcho", "Description"}
                }
                for parameter in answer["Parameters"]
            ],
        }

    def _asked_template(self, request: Request) -> Template:
        name = request.get("StackName")
        if name and not request.get("TemplateBody") and not request.get("TemplateURL"):
            stack = self._engine.existing(str(name), "Stack with id {name} does not exist")
            if stack.blueprint is None:
                raise refuse(f"Stack with id {name} does not exist")
            return stack.blueprint.template
        try:
            return self._engine.drafts.template(request)
        except TemplateError as error:
            raise refuse(str(error)) from error

    # --- change sets -------------------------------------------------------------------------------------------------

    def create_change_set(self, request: Request) -> Answer:
        """CreateChangeSet."""
        change_set = self._engine.create_change_set(request)
        return {"Id": change_set.id, "StackId": change_set.stack.id}

    def describe_change_set(self, request: Request) -> Answer:
        """DescribeChangeSet."""
        described = self._change_set(request).describe()
        return {**described, **_page(described["Changes"], request, "Changes")}

    def execute_change_set(self, request: Request) -> Answer:
        """ExecuteChangeSet."""
        self._engine.execute_change_set(self._change_set(request), request)
        return {}

    def delete_change_set(self, request: Request) -> Answer:
        """DeleteChangeSet."""
        self._engine.delete_change_set(self._change_set(request))
        return {}

    def list_change_sets(self, request: Request) -> Answer:
        """ListChangeSets."""
        stack = self._engine.existing(str(request["StackName"]))
        return _page([found.summary() for found in self._engine.change_sets.of(stack)], request, "Summaries")

    def _change_set(self, request: Request) -> ChangeSet:
        name = str(request["ChangeSetName"])
        stack = self._engine.existing(str(request["StackName"])) if request.get("StackName") else None
        found = self._engine.change_sets.find(name, stack)
        if found is None:
            raise ApiError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")
        return found

    # --- exports -----------------------------------------------------------------------------------------------------

    def list_exports(self, request: Request) -> Answer:
        """ListExports."""
        found = [
            {"ExportingStackId": stack.id, "Name": name, "Value": value}
            for stack in self._stacks.alive()
            for name, value in stack.exports.items()
        ]
        return _page(sorted(found, key=lambda export: export["Name"]), request, "Exports")

    def list_imports(self, request: Request) -> Answer:
        """ListImports."""
        name = str(request["ExportName"])
        importers = self._stacks.importers(name)
        if not importers:
            raise refuse(f"Export '{name}' is not imported by any stack.")
        return _page(importers, request, "Imports")

    def _resource(self, stack: Stack, resource: Resource) -> Answer:
        remark = self._engine.remark(resource)
        reason = "; ".join(dict.fromkeys(part for part in (resource.reason, remark) if part))
        answer = {
            "StackId": stack.id,
            "StackName": stack.name,
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id,
            "ResourceType": resource.type,
            "ResourceStatus": resource.status,
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }
        return {**answer, "ResourceStatusReason": reason} if reason else answer


# --- forms of answers ------------------------------------------------------------------------------------------------


def _summary(stack: Stack) -> Answer:
    answer: Answer = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": stack.created,
        "StackStatus": stack.status,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    described = stack.blueprint.template.document.get("Description") if stack.blueprint else None
    for name, value in (
        ("TemplateDescription", described),
        ("StackStatusReason", stack.reason),
        ("LastUpdatedTime", stack.updated),
        ("DeletionTime", stack.deleted),
        ("ParentId", stack.parent.id if stack.parent else None),
        ("RootId", stack.root.id if stack.parent else None),
    ):
        if value:
            answer[name] = value
    return answer


def _stack(stack: Stack) -> Answer:
    answer = _summary(stack)
    if "TemplateDescription" in answer:
        answer["Description"] = answer.pop("TemplateDescription")
    answer |= {
        "Parameters": [parameter.describe() for parameter in stack.parameters.values()],
        "Outputs": [dict(output) for output in stack.outputs],
        "Capabilities": stack.capabilities,
        "Tags": [
            {"Key": key, "Value": value} for key, value in (stack.blueprint.tags if stack.blueprint else {}).items()
        ],
        "NotificationARNs": stack.notifications,
        "DisableRollback": stack.disable_rollback,
        "EnableTerminationProtection": stack.root.protected,
        "RollbackConfiguration": {},
    }
    if stack.timeout_minutes:
        answer["TimeoutInMinutes"] = stack.timeout_minutes
    if stack.role:
        answer["RoleARN"] = stack.role
    return answer


def _declared(template: Template) -> Answer:
    capabilities = required_capabilities(template)
    answer: Answer = {
        "Parameters": [_parameter(name, entry) for name, entry in template.section("Parameters").items()],
        "DeclaredTransforms": list(template.transforms),
    }
    if template.document.get("Description"):
        answer["Description"] = str(template.document["Description"])
    if capabilities:
        kinds = dict.fromkeys(str(entry["Type"]) for entry in template.resources.values() if entry["Type"] in IAM_NAMES)
        answer["Capabilities"] = capabilities
        answer["CapabilitiesReason"] = f"The following resource(s) require capabilities: [{', '.join(kinds)}]"
    return answer


def _parameter(name: str, definition: dict[str, Any]) -> Answer:
    answer: Answer = {
        "ParameterKey": name,
        "ParameterType": str(definition["Type"]),
        "NoEcho": text(definition.get("NoEcho", False)).lower() == "true",
    }
    if "Default" in definition:
        answer["DefaultValue"] = text(definition["Default"])
    if "Description" in definition:
        answer["Description"] = str(definition["Description"])
    if "AllowedValues" in definition:
        answer["ParameterConstraints"] = {"AllowedValues": [text(value) for value in definition["AllowedValues"]]}
    return answer


def _page(found: Iterable[Any], request: Request, key: str) -> Answer:
    """Return a page of 100; the token is the position of the next one."""
    entries, token = list(found), request.get("NextToken")
    try:
        start = int(base64.urlsafe_b64decode(str(token)).decode()) if token else 0
    except ValueError as error:
        raise refuse("The specified NextToken is not valid.") from error
    answer: Answer = {key: entries[start : start + PAGE]}
    if start + PAGE < len(entries):
        answer["NextToken"] = base64.urlsafe_b64encode(str(start + PAGE).encode()).decode()
    return answer
