"""All applications, configurations and deployments of one emulator, and how they are found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.emulator.codedeploy.configurations import built_in
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.emulator.codedeploy.configurations import Configuration
    from seatrial.emulator.codedeploy.model import Application, Deployment, Group


@dataclass
class Store:
    """Guarded by the engine's lock. ``tags`` are by ARN; ``deployments`` the oldest first."""

    applications: dict[str, Application] = field(default_factory=dict)
    configurations: dict[str, Configuration] = field(default_factory=built_in)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def application(self, name: str | None) -> Application:
        """Find an application. Raises ``ApiError``."""
        if not name:
            raise ApiError("ApplicationNameRequiredException", "The application name is required.")
        found = self.applications.get(name)
        if found is None:
            raise ApiError("ApplicationDoesNotExistException", f"No application found for name: {name}")
        return found

    def group(self, application: str | None, name: str | None) -> Group:
        """Find a deployment group. Raises ``ApiError``."""
        known = self.application(application)
        if not name:
            raise ApiError("DeploymentGroupNameRequiredException", "The deployment group name is required.")
        found = known.groups.get(name)
        if found is None:
            raise ApiError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
        return found

    def configuration(self, name: str, platform: str) -> Configuration:
        """Find a deployment configuration for a compute platform. Raises ``ApiError``."""
        found = self.configurations.get(name)
        if found is None:
            raise ApiError(
                "DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}"
            )
        if found.platform != platform:
            raise ApiError(
                "InvalidDeploymentConfigNameException",
                f"The deployment configuration {name} is for the compute platform {found.platform}, not {platform}.",
            )
        return found

    def deployment(self, identifier: str | None) -> Deployment:
        """Find a deployment. Raises ``ApiError``."""
        if not identifier:
            raise ApiError("DeploymentIdRequiredException", "The deployment id is required.")
        found = self.deployments.get(identifier)
        if found is None:
            raise ApiError("DeploymentDoesNotExistException", f"The deployment {identifier} could not be found")
        return found

    def groups(self) -> Iterator[Group]:
        """All deployment groups."""
        return (group for application in self.applications.values() for group in application.groups.values())

    def running(self, group: Group | None = None) -> list[Deployment]:
        """The deployments (of a group) that have not ended."""
        return [d for d in self.deployments.values() if d.running and (group is None or d.group is group)]
