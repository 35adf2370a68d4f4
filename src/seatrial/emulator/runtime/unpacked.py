"""Images of the process runtime on disk: the layers unpacked, the environment found, the prepare commands run.

Such an image is an OCI image whose layers hold only the project's files, and which says in the labels of its
configuration what stands in for a base image:

``seatrial.bundle``               ``1``: may run as plain processes
``seatrial.requirements``         path of the requirements file in the image; absent: none
``seatrial.requirements.digest``  ``sha256:…`` over all that decides what gets installed
``seatrial.prepare``              JSON: commands to run once in the image, as RUN lines would
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from seatrial.emulator.runtime import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.emulator.runtime.store import ImageStore, Manifest

BUNDLE = "seatrial.bundle"
REQUIREMENTS = "seatrial.requirements"
REQUIREMENTS_DIGEST = "seatrial.requirements.digest"
PREPARE = "seatrial.prepare"


@dataclass(frozen=True)
class Unpacked:
    """An image ready to run. ``root`` stands for the container's ``/``; ``python`` is the environment's directory."""

    root: Path
    config: Mapping[str, Any]
    python: Path

    @property
    def working_directory(self) -> str:
        """As the image says it, ``/`` if it does not."""
        return self.config.get("WorkingDir") or "/"

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's labels."""
        return self.config.get("Labels") or {}

    def place(self, path: str) -> Path:
        """Return where a path of the container lies on this machine."""
        return self.root / PurePosixPath(path).relative_to("/")

    def places(self) -> Places:
        """Return the translation of the paths below the working directory."""
        own = self.working_directory.rstrip("/")
        return Places({own: self.place(own)} if own else {})

    def environment(self) -> dict[str, str]:
        """Return the image's variables, its own paths translated, and the PATH that finds its Python."""
        places = self.places()
        pairs = (entry.partition("=") for entry in self.config.get("Env") or ())
        own = {key: places.localise(value) for key, _, value in pairs}
        path = f"{self.python}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {"LANG": "C.UTF-8", "TZ": "UTC"} | own | {"PATH": path, "VIRTUAL_ENV": str(self.python)}

    def argv(self, entry_point: Sequence[str] | None, command: Sequence[str] | None) -> list[str]:
        """Return what to run. As in Docker, an entry point of the caller's puts the image's command out of force."""
        if entry_point is not None:
            return [*entry_point, *(command or ())]
        return [*(self.config.get("Entrypoint") or ()), *(command or self.config.get("Cmd") or ())]


@dataclass(frozen=True)
class Places:
    """Absolute paths of a container and the directories that stand for them here."""

    known: Mapping[str, Path] = field(default_factory=dict)

    def localise(self, text: str) -> str:
        """Replace each known path in ``text``, where it stands as a path of its own (``/app``, ``A=/app/x:/lib``)."""
        for path in sorted(self.known, key=len, reverse=True):
            here = str(self.known[path]).replace("\\", r"\\")  # a backslash would begin a group reference
            text = re.sub(rf"(?<![^\s:=,'\"]){re.escape(path)}(?=[/:\s,'\"]|$)", here, text)
        return text


def configuration(store: ImageStore, manifest: Manifest, image: str) -> dict[str, Any]:
    """Return the ``config`` of a bundle. Raises :class:`ImageError` for an image that needs a container."""
    blob = store.blob(manifest.parsed()["config"]["digest"])
    config: dict[str, Any] = (json.loads(blob.read_bytes()) if blob else {}).get("config") or {}
    if (config.get("Labels") or {}).get(BUNDLE) != "1":
        raise ImageError(
            f"CannotPullContainerError: {image} is a container image, and this emulator runs tasks as plain processes: "
            "it takes source bundles, or start it with the docker runtime"
        )
    return config


def harmless(archive: tarfile.TarFile, root: Path) -> Iterator[tarfile.TarInfo]:
    """Yield the members as ``filter="data"`` would leave them (PEP 706), for a Python that does not know it.

    Raises ``tarfile.TarError`` for one that is neither file, directory nor symbolic link, or leads out of ``root``.
    """
    root = root.resolve()
    for member in archive:
        place = root / member.name
        ends = [place, *([place.parent / member.linkname] if member.issym() else [])]
        if not (member.isfile() or member.isdir() or member.issym()):
            raise tarfile.TarError(f"{member.name!r} is a special file or a hard link")
        if not all(end.resolve().is_relative_to(root) for end in ends):
            raise tarfile.TarError(f"{member.name!r} leads out of the image")
        member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
        member.mode &= 0o755
        yield member


def unpack(store: ImageStore, manifest: Manifest, home: Path) -> Path:
    """Unpack the layers into ``home``/root and return it. What an interrupted attempt left is removed first."""
    shutil.rmtree(home, ignore_errors=True)
    root = home / "root"
    root.mkdir(parents=True)
    for layer in manifest.parsed()["layers"]:
        blob = store.blob(layer["digest"])
        assert blob is not None  # the registry took no manifest without its blobs
        try:
            with tarfile.open(blob) as archive:
                if hasattr(tarfile, "data_filter"):
                    archive.extractall(root, filter="data")
                else:  # Python before 3.11.4: Debian 12 has 3.11.2
                    archive.extractall(root, harmless(archive, root))  # noqa: S202 - see harmless
        except tarfile.TarError as error:
            raise ImageError(f"CannotPullContainerError: failed to extract layer {layer['digest']}: {error}") from error
    return root
