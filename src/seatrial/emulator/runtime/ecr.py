"""ECR's API in front of our registry: repositories answer with its host, and what is pushed is described.

Repositories and images live in moto's ECR backend, so all its other actions (policies, scans, lifecycle) go on
working; the registry asks it whether a repository exists and tells it what was pushed. Seams of moto used here:
``ECRResponse``, ``ecr_backends``, ``Repository.uri`` and ``images``, ``Image``, ``_resolve_image_tag_mutability``.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from seatrial.emulator.access.guard import asking, principal_of
from seatrial.emulator.access.needs import Place, needs
from seatrial.emulator.front.actions import ApiError, install
from seatrial.emulator.runtime.registry import RegistryError

if TYPE_CHECKING:
    from seatrial.emulator.clock import Clock
    from seatrial.emulator.runtime.registry import Registry
    from seatrial.emulator.runtime.store import Manifest
    from seatrial.emulator.settings import EmulatorSettings

_TOKEN_LIFE = timedelta(hours=12)  # GetAuthorizationToken, API reference


class EcrBridge:
    """Joins one registry and moto's ECR. It is the registry's policy as soon as it is made."""

    def __init__(self, settings: EmulatorSettings, registry: Registry, clock: Clock) -> None:
        self._settings = settings
        self._registry = registry
        self._clock = clock
        registry.policy = self

    def install(self) -> None:
        """Take over the ECR actions that the registry has a part in."""
        from moto.ecr.responses import ECRResponse

        install(
            ECRResponse,
            {
                "create_repository": self.create_repository,
                "delete_repository": self.delete_repository,
                "get_authorization_token": self.get_authorization_token,
                "put_image": self.put_image,
                "describe_images": self.describe_images,
                "batch_delete_image": self.batch_delete_image,
            },
        )

    # What the registry asks

    def check(self, repository: str) -> None:
        """See :meth:`seatrial.emulator.runtime.registry.Policy.check`."""
        if repository not in self._backend.repositories:
            raise RegistryError(
                404,
                "NAME_UNKNOWN",
                f"The repository with name '{repository}' does not exist "
                f"in the registry with id '{self._settings.account}'",
            )

    def admit(self, repository: str, manifest: Manifest, tag: str | None) -> None:
        """See :meth:`seatrial.emulator.runtime.registry.Policy.admit`."""
        from moto.ecr.exceptions import ImageAlreadyExistsException
        from moto.ecr.models import Image

        target = self._backend.repositories[repository]
        image = next((image for image in target.images if image.image_digest == manifest.digest), None)
        if image is not None and (tag is None or tag in image.image_tags):
            return
        try:
            self._backend._resolve_image_tag_mutability(target, tag)  # noqa: SLF001  # no public way to ask moto this
        except ImageAlreadyExistsException as error:
            raise RegistryError(
                400,
                "TAG_INVALID",
                f"The image tag '{tag}' already exists in the '{repository}' repository "
                "and cannot be overwritten because the tag is immutable.",
            ) from error
        for other in target.images:  # an image that loses its tag stays, untagged; moto's own put_image deletes it
            other.remove_tag(tag)
            other.image_tag = other.image_tags[-1] if other.image_tags else None
        if image is None:
            content = manifest.content.decode()
            account = self._settings.account
            target.images.append(Image(account, tag, content, repository, manifest.media_type, manifest.digest))
        else:
            image.update_tag(tag)

    def denies(self, key: str, action: str, repository: str) -> str | None:
        """See :meth:`seatrial.emulator.runtime.registry.Policy.denies`."""
        place = Place(self._settings.account, self._settings.region)
        principal = principal_of(place, key, None) if key else None
        if principal is None:
            return None
        return principal.refusal(needs("ecr", action.partition(":")[2], {"repositoryName": repository}, place))

    # Actions

    def create_repository(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Create a repository whose URI is on our registry; images kept from an earlier run are in it again."""
        name = parameters["repositoryName"]
        repository = self._backend.create_repository(
            repository_name=name,
            registry_id=parameters.get("registryId"),
            encryption_config=parameters.get("encryptionConfiguration"),
            image_scan_config=parameters.get("imageScanningConfiguration"),
            image_tag_mutability=parameters.get("imageTagMutability"),
            image_tag_mutability_exclusion_filters=parameters.get("imageTagMutabilityExclusionFilters"),
            tags=parameters.get("tags", []),
        )
        repository.uri = f"{self._registry.host}/{name}"
        store = self._registry.store
        tags = store.tags(name)
        for digest in store.digests(name):
            manifest = store.manifest(name, digest)
            if manifest is not None:
                self.admit(name, manifest, None)
                for tag in (tag for tag, target in tags.items() if target == digest):
                    self.admit(name, manifest, tag)
        return {"repository": repository}

    def delete_repository(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Delete a repository with its images."""
        name = parameters["repositoryName"]
        repository = self._backend.delete_repository(name, parameters.get("registryId"), parameters.get("force", False))
        self._registry.store.forget(name)
        return {"repository": repository}

    def get_authorization_token(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Hand out the registry's password, as ``AWS:password`` in base64."""
        password = ".".join(filter(None, (self._registry.password, asking.get())))
        token = base64.b64encode(f"AWS:{password}".encode()).decode()
        entry = {
            "authorizationToken": token,
            "expiresAt": self._clock.now() + _TOKEN_LIFE,
            "proxyEndpoint": f"http://{self._registry.host}",
        }
        return {"authorizationData": [entry for _ in parameters.get("registryIds") or [None]]}

    def put_image(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Store a manifest through the API, which is how images are retagged without a pull."""
        name, tag = parameters["repositoryName"], parameters.get("imageTag")
        content = parameters["imageManifest"].encode()
        repository = self._backend.describe_repositories(repository_names=[name])[0]
        media_type = parameters.get("imageManifestMediaType") or _media_type(content)
        known = next((image for image in repository.images if image.image_manifest.encode() == content), None)
        if known is not None and (tag is None or tag in known.image_tags):
            raise ApiError(
                "ImageAlreadyExistsException",
                f"Image with digest '{known.image_digest}' and tag '{tag}' already exists in the repository with name "
                f"'{name}' in registry with id '{self._settings.account}'",
            )
        try:
            manifest = self._registry.put_manifest(name, content, media_type, tag)
        except RegistryError as error:
            codes = {
                "TAG_INVALID": "ImageTagAlreadyExistsException",
                "MANIFEST_BLOB_UNKNOWN": "LayersNotFoundException",
            }
            raise ApiError(codes.get(error.code, "InvalidParameterException"), str(error)) from error
        return {
            "image": {
                "registryId": repository.registry_id,
                "repositoryName": name,
                "imageId": {"imageDigest": manifest.digest} | ({} if tag is None else {"imageTag": tag}),
                "imageManifest": parameters["imageManifest"],
                "imageManifestMediaType": media_type,
            }
        }

    def describe_images(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Describe images; the size is that of their layers as they lie in the registry."""
        images = self._backend.describe_images(
            parameters["repositoryName"], parameters.get("registryId"), parameters.get("imageIds")
        )
        status = parameters.get("filter", {}).get("tagStatus", "ANY")
        wanted = [image for image in images if status == "ANY" or bool(image.image_tags) == (status == "TAGGED")]
        return {"imageDetails": [_detail(image) for image in wanted]}

    def batch_delete_image(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Delete images or only tags, and make the registry forget them."""
        name = parameters["repositoryName"]
        answer: dict[str, Any] = self._backend.batch_delete_image(
            name, parameters.get("registryId"), parameters.get("imageIds")
        )
        images = self._backend.repositories[name].images
        tags = {tag: image.image_digest for image in images for tag in image.image_tags}
        self._registry.store.keep_only(name, tags, {image.image_digest for image in images})
        return answer

    @property
    def _backend(self) -> Any:
        from moto.ecr.models import ecr_backends

        return ecr_backends[self._settings.account][self._settings.region]


def _media_type(content: bytes) -> str:
    try:
        media_type = json.loads(content)["mediaType"]
    except (ValueError, KeyError, TypeError) as error:
        raise ApiError("InvalidParameterException", "The image manifest names no mediaType.") from error
    return str(media_type)


def _detail(image: Any) -> dict[str, Any]:
    manifest = json.loads(image.image_manifest)
    detail = {
        "registryId": image.registry_id,
        "repositoryName": image.repository_name,
        "imageDigest": image.image_digest,
        "imageSizeInBytes": sum(layer["size"] for layer in manifest.get("layers", ())),
        "imagePushedAt": datetime.fromtimestamp(image.image_pushed_at, UTC),
        "imageManifestMediaType": image.image_manifest_media_type,
    }
    if image.image_tags:
        detail["imageTags"] = list(image.image_tags)
    if "config" in manifest:
        detail["artifactMediaType"] = manifest["config"]["mediaType"]
    return detail
