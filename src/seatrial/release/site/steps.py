"""The words of a plan that are about the site; see :mod:`seatrial.release.steps`."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.release.steps import Step


@dataclass(frozen=True)
class BuildSite(Step):
    """Build the front end of ``source``. ``revision`` is the git revision, None for the working tree."""

    version: str
    revision: str | None
    source: str
    command: str

    @property
    def kind(self) -> str:
        """One word."""
        return "build_site"

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return f"build the site {self.version}"

    @property
    def lines(self) -> tuple[str, ...]:
        """See :class:`Step`."""
        return (f"`{self.command}` in {self.source} of {self.revision or 'the working tree'}",)


@dataclass(frozen=True)
class UploadSite(Step):
    """Bring a site build to the bucket, where nobody sees it yet.

    ``origin`` is the bucket of the environment that has ``build``; both are None for what this release builds.
    """

    bucket: str
    build: str | None = None
    origin: str | None = None

    @property
    def kind(self) -> str:
        """One word."""
        return "upload_site"

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return f"upload the site to {self.bucket}" if self.origin is None else f"copy the site to {self.bucket}"

    @property
    def lines(self) -> tuple[str, ...]:
        """See :class:`Step`."""
        return () if self.origin is None else (f"build {(self.build or '')[:19]}, from {self.origin}",)


@dataclass(frozen=True)
class Publish(Step):
    """Put a site build live: ``build``, None for the one of this release."""

    bucket: str
    distribution: str
    url: str
    build: str | None = None

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return f"publish the site at {self.url}"

    @property
    def lines(self) -> tuple[str, ...]:
        """See :class:`Step`."""
        which = f"build {self.build[:19]}, which is in {self.bucket}" if self.build else f"from {self.bucket}"
        return (which, f"and have CloudFront ({self.distribution}) forget what changed")
