"""ECR: where images are, and the password to push them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.aws.session import Aws


@dataclass(frozen=True)
class Image:
    """An image in a repository: its digest (``sha256:...``) and tags."""

    digest: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Login:
    """What a registry client logs in with. The password stays out of every repr."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login(username={self.username!r}, password=...)"


class Ecr:
    """The calls on one repository."""

    def __init__(self, aws: Aws, repository: str) -> None:
        self._client = aws.client("ecr")
        self.repository = repository

    def image(self, *, tag: str | None = None, digest: str | None = None) -> Image | None:
        """Return the image under a tag or a digest, None if there is none. Raises NotFound without a repository."""
        wanted: Mapping[str, str] = {"imageTag": tag} if tag else {"imageDigest": digest or ""}
        try:
            answer = self._client.describe_images(repositoryName=self.repository, imageIds=[dict(wanted)])
        except NotFound as error:
            if error.code == "ImageNotFoundException":
                return None
            raise
        found = answer["imageDetails"]
        return Image(found[0]["imageDigest"], tuple(found[0].get("imageTags", ()))) if found else None

    def login(self) -> Login:
        """Return the registry's user name and password, valid for twelve hours (GetAuthorizationToken)."""
        data = self._client.get_authorization_token()["authorizationData"]
        username, _, password = base64.b64decode(data[0]["authorizationToken"]).decode().partition(":")
        return Login(username, password)
