"""The API actions on applications, deployment groups, deployment configurations and their tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from seatrial.emulator.codedeploy import configurations, groups
from seatrial.emulator.codedeploy.model import Application, Group
from seatrial.emulator.codedeploy.paging import page
from seatrial.emulator.codedeploy.shapes import application_shape, group_shape
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from seatrial.emulator.codedeploy.store import Store
    from seatrial.emulator.codedeploy.world import World
    from seatrial.emulator.front.actions import Action

#: ApplicationName and DeploymentGroupName in the service model.
_NAME = re.compile(r".{1,100}")
#: Both batches take at most a hundred.
MOST_DESCRIBED = 100


class GroupActions:
    """The actions, over one store."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store

    def actions(self) -> dict[str, Action]:
        """Return the actions by moto's method names."""
        return {
            "create_application": self._create_application,
            "get_application": self._get_application,
            "batch_get_applications": self._batch_get_applications,
            "list_applications": self._list_applications,
            "update_application": self._update_application,
            "delete_application": self._delete_application,
            "create_deployment_group": self._create_group,
            "get_deployment_group": self._get_group,
            "batch_get_deployment_groups": self._batch_get_groups,
            "list_deployment_groups": self._list_groups,
            "update_deployment_group": self._update_group,
            "delete_deployment_group": self._delete_group,
            "create_deployment_config": self._create_configuration,
            "get_deployment_config": self._get_configuration,
            "list_deployment_configs": self._list_configurations,
            "delete_deployment_config": self._delete_configuration,
            "tag_resource": self._tag,
            "untag_resource": self._untag,
            "list_tags_for_resource": self._list_tags,
        }

    def _create_application(self, request: dict[str, Any]) -> dict[str, Any]:
        name, platform = request["applicationName"], request.get("computePlatform") or "Server"
        if not _NAME.fullmatch(name):
            raise ApiError("InvalidApplicationNameException", "The application name must have 1 to 100 characters.")
        if platform not in configurations.PLATFORMS:
            raise ApiError("InvalidComputePlatformException", f"The compute platform {platform} is invalid.")
        made = Application(str(uuid4()), name, platform, self._world.clock.now())
        with self._world.lock:
            self._free(name)
            self._store.applications[name] = made
            self._keep_tags(f"application:{name}", request.get("tags"))
        return {"applicationId": made.id}

    def _get_application(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._world.lock:
            return {"application": application_shape(self._store.application(request.get("applicationName")))}

    def _batch_get_applications(self, request: dict[str, Any]) -> dict[str, Any]:
        names = _few(request["applicationNames"])
        with self._world.lock:
            return {"applicationsInfo": [application_shape(self._store.application(name)) for name in names]}

    def _list_applications(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._world.lock:
            return page("applications", sorted(self._store.applications), request)

    def _update_application(self, request: dict[str, Any]) -> dict[str, Any]:
        name, new = request.get("applicationName"), request.get("newApplicationName")
        with self._world.lock:
            found = self._store.application(name)
            if new and new != name:
                self._free(new)
                del self._store.applications[found.name]
                found.name = new
                self._store.applications[new] = found
        return {}

    def _delete_application(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete an application with its groups; one that is not there is no error."""
        with self._world.lock:
            self._store.applications.pop(request["applicationName"], None)
        return {}

    def _create_group(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["deploymentGroupName"]
        if not _NAME.fullmatch(name):
            raise ApiError("InvalidDeploymentGroupNameException", "The name must have 1 to 100 characters.")
        with self._world.lock:
            application = self._store.application(request["applicationName"])
            self._free_group(application, name)
        settings = groups.settings_of(request, {})
        groups.check(self._world, self._store, application.platform, settings, None)
        made = Group(str(uuid4()), name, application, settings)
        with self._world.lock:
            self._free_group(application, name)
            application.groups[name] = made
            self._keep_tags(f"deploymentgroup:{application.name}/{name}", request.get("tags"))
        return {"deploymentGroupId": made.id}

    def _get_group(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._world.lock:
            found = self._store.group(request["applicationName"], request["deploymentGroupName"])
            return {"deploymentGroupInfo": group_shape(found)}

    def _batch_get_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        names = _few(request["deploymentGroupNames"])
        with self._world.lock:
            known = self._store.application(request["applicationName"]).groups
            missing = [name for name in names if name not in known]
            answer: dict[str, Any] = {
                "deploymentGroupsInfo": [group_shape(known[name]) for name in names if name in known]
            }
        if missing:
            answer["errorMessage"] = f"No Deployment Group found for name: {', '.join(missing)}"
        return answer

    def _list_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._world.lock:
            found = self._store.application(request["applicationName"])
            return {"applicationName": found.name, **page("deploymentGroups", sorted(found.groups), request)}

    def _update_group(self, request: dict[str, Any]) -> dict[str, Any]:
        new = request.get("newDeploymentGroupName")
        with self._world.lock:
            found = self._store.group(request["applicationName"], request["currentDeploymentGroupName"])
            settings = groups.settings_of(request, found.settings)
        groups.check(self._world, self._store, found.application.platform, settings, found)
        with self._world.lock:
            if new and new != found.name:
                self._free_group(found.application, new)
                del found.application.groups[found.name]
                found.name = new
                found.application.groups[new] = found
            found.settings = settings
        return {"hooksNotCleanedUp": []}

    def _delete_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a group; one that is not there is no error."""
        with self._world.lock:
            application = self._store.applications.get(request["applicationName"])
            if application:
                application.groups.pop(request["deploymentGroupName"], None)
        return {"hooksNotCleanedUp": []}

    def _create_configuration(self, request: dict[str, Any]) -> dict[str, Any]:
        made = configurations.read(request, self._world.clock.now())
        with self._world.lock:
            if made.name in self._store.configurations:
                raise ApiError(
                    "DeploymentConfigAlreadyExistsException", f"Deployment config name: {made.name} already exists"
                )
            self._store.configurations[made.name] = made
        return {"deploymentConfigId": made.id}

    def _get_configuration(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["deploymentConfigName"]
        with self._world.lock:
            found = self._store.configurations.get(name)
        if found is None:
            raise ApiError(
                "DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}"
            )
        return {"deploymentConfigInfo": configurations.shape(found)}

    def _list_configurations(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._world.lock:
            return page("deploymentConfigsList", sorted(self._store.configurations), request)

    def _delete_configuration(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["deploymentConfigName"]
        if name.startswith("CodeDeployDefault."):
            raise ApiError("InvalidOperationException", "Predefined deployment configurations cannot be deleted.")
        with self._world.lock:
            if any(group.settings.get("deploymentConfigName") == name for group in self._store.groups()):
                raise ApiError("DeploymentConfigInUseException", f"The deployment configuration {name} is in use.")
            self._store.configurations.pop(name, None)
        return {}

    def _tag(self, request: dict[str, Any]) -> dict[str, Any]:
        arn = self._known(request["ResourceArn"])
        with self._world.lock:
            self._store.tags.setdefault(arn, {}).update({t["Key"]: t.get("Value", "") for t in request["Tags"]})
        return {}

    def _untag(self, request: dict[str, Any]) -> dict[str, Any]:
        arn = self._known(request["ResourceArn"])
        with self._world.lock:
            for key in request["TagKeys"]:
                self._store.tags.get(arn, {}).pop(key, None)
        return {}

    def _list_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        arn = self._known(request["ResourceArn"])
        with self._world.lock:
            return {"Tags": [{"Key": key, "Value": value} for key, value in self._store.tags.get(arn, {}).items()]}

    def _known(self, arn: str) -> str:
        """Return an ARN of an application or a group that exists. Raises ``ApiError``."""
        kind, _, rest = arn.removeprefix(self._world.arn("")).partition(":")
        application, _, group = rest.partition("/")
        with self._world.lock:
            if kind == "application":
                self._store.application(application)
            elif kind == "deploymentgroup":
                self._store.group(application, group)
            else:
                raise ApiError("InvalidArnException", f"The ARN {arn} is invalid.")
        return arn

    def _keep_tags(self, resource: str, tags: list[dict[str, str]] | None) -> None:
        self._store.tags[self._world.arn(resource)] = {t["Key"]: t.get("Value", "") for t in tags or ()}

    def _free(self, name: str) -> None:
        if name in self._store.applications:
            raise ApiError("ApplicationAlreadyExistsException", f"Application name: {name} already exists")

    def _free_group(self, application: Application, name: str) -> None:
        if name in application.groups:
            raise ApiError("DeploymentGroupAlreadyExistsException", f"Deployment group name: {name} already exists")


def _few(names: list[str]) -> list[str]:
    if len(names) > MOST_DESCRIBED:
        raise ApiError("BatchLimitExceededException", f"At most {MOST_DESCRIBED} names can be asked for.")
    return names
