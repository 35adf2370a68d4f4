"""An image of the registry as an archive that ``docker load`` takes.

Loading needs no trust between engine and registry: Docker and Podman differ in whether they pull over plain HTTP from
this machine.
"""

from __future__ import annotations

import io
import json
import tarfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.emulator.runtime.store import ImageStore, Manifest


def write(store: ImageStore, manifest: Manifest, name: str, target: IO[bytes]) -> None:
    """Write the image to ``target`` under ``name`` (``host/repository:tag``), in the format of ``docker save``."""
    document = manifest.parsed()
    config = document["config"]["digest"]
    names = {digest: f"{digest.removeprefix('sha256:')}.tar" for digest in _layers(document)}
    config_name = f"{config.removeprefix('sha256:')}.json"
    content = {"Config": config_name, "RepoTags": [name], "Layers": [names[digest] for digest in _layers(document)]}
    with tarfile.open(fileobj=target, mode="w") as archive:
        _add_blob(archive, store, config, config_name)
        for digest, path in names.items():
            _add_blob(archive, store, digest, path)
        body = json.dumps([content]).encode()
        info = tarfile.TarInfo("manifest.json")
        info.size = len(body)
        archive.addfile(info, io.BytesIO(body))


def _layers(document: dict[str, list[dict[str, str]]]) -> list[str]:
    return [layer["digest"] for layer in document["layers"]]


def _add_blob(archive: tarfile.TarFile, store: ImageStore, digest: str, name: str) -> None:
    path = store.blob(digest)
    assert path is not None  # the registry took no manifest without its blobs
    info = tarfile.TarInfo(name)
    info.size = path.stat().st_size
    with path.open("rb") as file:
        archive.addfile(info, file)
