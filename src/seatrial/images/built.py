"""Building the image of a project and pushing it, whichever way it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from seatrial.errors import UsageError
from seatrial.images import bundle, registry, source
from seatrial.images.registry import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.config.models import Settings

Kind = Literal["bundle", "docker"]


class BuiltImage(Protocol):
    """An image that exists on this machine."""

    @property
    def version(self) -> str:
        """The version of the project it was made of; a valid image tag."""
        ...

    @property
    def digest(self) -> str | None:
        """``sha256:…`` of the manifest, where it is known before the push."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the way it was made, one sentence each."""
        ...

    def push(self, repository_uri: str, username: str, password: str) -> str:
        """Push to ``host/repository`` under the version as tag and return the digest there.

        What the registry has already is not sent again. Raises :class:`seatrial.errors.ReleaseFailed`.
        """
        ...


def build(
    settings: Settings,
    root: Path,
    revision: str | None,
    kind: Kind,
    progress: Callable[[str], None],
) -> BuiltImage:
    """Build the image of the project in ``root`` (where ``seatrial.toml`` is) as of a git revision.

    ``revision`` None is the working tree. A ``bundle`` is for the emulator's process runtime and needs no container
    engine; ``docker`` builds the Dockerfile with ``image.build_args``. ``progress`` gets lines for people.
    Raises :class:`seatrial.errors.UsageError` where the project cannot be read and
    :class:`seatrial.errors.ReleaseFailed` where the build fails.
    """
    context = (root / settings.image.context).resolve()
    path = (root / settings.image.dockerfile).resolve()
    if not path.is_relative_to(context):
        raise UsageError(
            f"image.dockerfile {settings.image.dockerfile} is outside of image.context {settings.image.context}",
            hint="both are relative to seatrial.toml; the Dockerfile must lie inside the context",
        )
    dockerfile = path.relative_to(context).as_posix()
    files = source.read(context, revision, dockerfile)
    if kind == "bundle":
        made = bundle.make(files, settings.image, dockerfile)
        for note in made.notes:
            progress(note)
        return BundleImage(files.version, made, progress)
    from seatrial.images.docker import build_image  # the Docker SDK is an extra, and slow to import

    return build_image(files, dockerfile, settings.app.name, settings.image.build_args, progress)


@dataclass(frozen=True)
class BundleImage:
    """A source bundle, see :mod:`seatrial.images.bundle`."""

    version: str
    bundle: bundle.Bundle
    progress: Callable[[str], None]

    @property
    def digest(self) -> str:
        """See :class:`BuiltImage`."""
        return self.bundle.layout.manifest.digest

    @property
    def notes(self) -> tuple[str, ...]:
        """See :class:`BuiltImage`."""
        return self.bundle.notes

    def push(self, repository_uri: str, username: str, password: str) -> str:
        """See :class:`BuiltImage`."""
        credentials = Credentials(username, password)
        return registry.push(self.bundle.layout, repository_uri, self.version, credentials, self.progress)
