"""Image names: which of them are ours, and what ECS says of one that cannot be had."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.emulator.runtime import ImageError
from seatrial.emulator.runtime.store import DIGEST

if TYPE_CHECKING:
    from seatrial.emulator.runtime.registry import Registry
    from seatrial.emulator.runtime.store import Manifest
    from seatrial.emulator.settings import EmulatorSettings

_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
_RETRIED = "CannotPullContainerError: pull image manifest has been retried 1 time(s)"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Reference:
    """``host/repository@sha256:…`` or ``host/repository:tag`` taken apart; ``host`` is empty for ``nginx:1``."""

    host: str
    repository: str
    tag_or_digest: str


def parse(image: str) -> Reference:
    """Take an image name apart as Docker does: the first part is a host if it has a dot or a port, or is localhost."""
    name, at, digest = image.partition("@")
    head, slash, rest = name.partition("/")
    is_host = bool(slash) and ("." in head or ":" in head or head == "localhost")
    host, path = (head, rest) if is_host else ("", name)
    repository, colon, tag = path.partition(":")
    return Reference(host, repository, digest if at else tag if colon else "latest")


def is_ours(reference: Reference, registry: Registry, settings: EmulatorSettings) -> bool:
    """Whether the image lies behind the emulator's ECR, under its own host or under AWS's name of it."""
    if reference.host == registry.host:
        return True
    match = _ECR.fullmatch(reference.host)
    return match is not None and (match["account"], match["region"]) == (settings.account, settings.region)


def cannot_pull(image: str, why: str) -> ImageError:
    """Return the error in the words of ECS's stopped reason."""
    return ImageError(f"{_RETRIED}: failed to resolve ref {image}: {why}")


def resolve(image: str, reference: Reference, registry: Registry) -> Manifest:
    """Return the manifest of an image of ours; of an index the one for this machine. Raises :class:`ImageError`."""
    store = registry.store
    manifest = store.manifest(reference.repository, reference.tag_or_digest)
    if manifest is None:
        raise cannot_pull(image, f"{image}: not found")
    document = manifest.parsed()
    if "manifests" not in document:
        return manifest
    machine = _MACHINES.get(platform.machine(), platform.machine())
    for entry in document["manifests"]:
        if _fits(entry.get("platform", {}), machine) and DIGEST.fullmatch(entry["digest"]):
            chosen = store.manifest(reference.repository, entry["digest"])
            if chosen is not None:
                return chosen
    raise ImageError(f"{_RETRIED}: image Manifest does not contain descriptor matching platform 'linux/{machine}'")


def _fits(wanted: dict[str, Any], machine: str) -> bool:
    return wanted.get("os") == "linux" and wanted.get("architecture") == machine
