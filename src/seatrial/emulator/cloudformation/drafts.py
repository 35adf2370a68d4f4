"""From a request to a blueprint: the template fetched and read, parameters settled, capabilities asked for."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from seatrial.emulator.cloudformation.blueprint import Blueprint
from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.parameters import Given, settle
from seatrial.emulator.cloudformation.stacks import Stack
from seatrial.emulator.cloudformation.template import Template, read
from seatrial.emulator.cloudformation.urls import s3_location

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.emulator.cloudformation.hands import Hands
    from seatrial.emulator.cloudformation.resources.work import Place
    from seatrial.emulator.settings import EmulatorSettings

#: IAM resources and the property that names each: named ones need CAPABILITY_NAMED_IAM.
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
IAM_NAMES = {
    "AWS::IAM::AccessKey": None,
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": None,
}
LONGEST_BODY = 51_200
LONGEST_OBJECT = 1_048_576


class InsufficientCapabilities(Exception):
    """The template makes what the request did not say it may."""


class Drafts:
    """Makes stacks and blueprints out of requests."""

    def __init__(self, hands: Hands, settings: EmulatorSettings) -> None:
        self.hands = hands
        self._settings = settings
        self._zones: dict[str, list[str]] = {}
        self._zones_lock = threading.Lock()

    def stack(self, name: str, *, parent: Stack | None = None) -> Stack:
        """Return a new stack that nobody else sees yet."""
        where = f"arn:aws:cloudformation:{self._settings.region}:{self._settings.account}"
        return Stack(name, f"{where}:stack/{name}/{uuid.uuid4()}", self.hands.clock.now(), parent=parent)

    def template(self, request: Mapping[str, Any]) -> Template:
        """Return the template of a request: its body or what its URL points to. Raises :class:`TemplateError`."""
        body = request.get("TemplateBody")
        if body is not None:
            if len(body.encode()) > LONGEST_BODY:
                raise TemplateError(
                    f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must "
                    f"have length less than or equal to {LONGEST_BODY}"
                )
            return read(body)
        if not request.get("TemplateURL"):
            raise TemplateError("Either Template URL or Template Body must be specified.")
        return read(self._fetch(str(request["TemplateURL"])))

    def blueprint(
        self,
        stack: Stack,
        template: Template,
        given: Given,
        tags: Mapping[str, str],
        notifications: Iterable[str] = (),
    ) -> Blueprint:
        """Return what ``stack`` is to become, judged. Raises :class:`TemplateError`."""
        parameters = settle(template.section("Parameters"), given, stack.parameters, self._stored)
        place: Place = self.hands.place(stack)
        blueprint = Blueprint(template, parameters, place, self.zones, dict(tags), tuple(notifications))
        blueprint.judge(self.hands.schemas)
        return blueprint

    def judge_capabilities(self, blueprint: Blueprint, capabilities: Iterable[str]) -> None:
        """Raise :class:`InsufficientCapabilities` where the request does not acknowledge what the template needs."""
        needed = required_capabilities(blueprint.template)
        have = set(capabilities)
        if "CAPABILITY_NAMED_IAM" in have:
            have.add("CAPABILITY_IAM")
        missing = [capability for capability in needed if capability not in have]
        if missing:
            raise InsufficientCapabilities(f"Requires capabilities : [{', '.join(missing)}]")

    def zones(self, region: str) -> list[str]:
        """Return the availability zones of a region, asked of EC2 once."""
        with self._zones_lock:
            if region not in self._zones:
                if region == self._settings.region:
                    found = self.hands.call("ec2", "describe_availability_zones")["AvailabilityZones"]
                    self._zones[region] = sorted(zone["ZoneName"] for zone in found)
                else:
                    self._zones[region] = [f"{region}{letter}" for letter in "abc"]
            return self._zones[region]

    def _stored(self, name: str) -> str:
        try:
            value = self.hands.call("ssm", "get_parameter", Name=name)["Parameter"]
        except ClientError as error:
            message = f"Unable to fetch parameters [{name}] from parameter store for this account."
            raise TemplateError(message) from error
        if value.get("Type") == "SecureString":
            raise TemplateError(
                f"Parameters [{name}] referenced by template have types not supported by CloudFormation."
            )
        return str(value["Value"])

    def _fetch(self, url: str) -> str:
        bucket, key, version = s3_location(url)
        try:
            extra = {"VersionId": version} if version else {}
            body: bytes = self.hands.call("s3", "get_object", Bucket=bucket, Key=key, **extra)["Body"].read()
        except ClientError as error:
            raise TemplateError(f"S3 error: {error.response.get('Error', {}).get('Message', error)}") from error
        if len(body) > LONGEST_OBJECT:
            raise TemplateError(f"Template may not exceed {LONGEST_OBJECT} bytes in size.")
        return body.decode()


def required_capabilities(template: Template) -> list[str]:
    """Return the capabilities that a template needs, nested templates left to themselves."""
    needed = []
    iam = [resource for resource in template.resources.values() if resource["Type"] in IAM_NAMES]
    if any(_is_named(resource) for resource in iam):
        needed.append("CAPABILITY_NAMED_IAM")
    elif iam:
        needed.append("CAPABILITY_IAM")
    if template.transforms:
        needed.append("CAPABILITY_AUTO_EXPAND")
    return needed


def _is_named(resource: Mapping[str, Any]) -> bool:
    name = IAM_NAMES[str(resource["Type"])]
    return name is not None and name in (resource.get("Properties") or {})
