"""A source bundle: an OCI image of a Python project made without a container engine. Pure.

One layer holds the files of the build context, laid out as the Dockerfile's last stage lays them out. Its ENV, WORKDIR,
ENTRYPOINT, CMD, USER and STOPSIGNAL become the image's. There is no base image in it: labels say what the emulator's
process runtime puts in its place, which is a Python environment and commands to prepare the image.
The same files and settings make the same bytes, so the same digest.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import platform
import posixpath
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import UsageError
from seatrial.images.dockerfile import last_stage
from seatrial.images.layout import Blob, Layout
from seatrial.images.source import tar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.config.models import Image
    from seatrial.images.dockerfile import Copy, Stage
    from seatrial.images.source import File, Source

#: Labels the emulator's process runtime reads.
BUNDLE = "seatrial.bundle"
REQUIREMENTS = "seatrial.requirements"
REQUIREMENTS_DIGEST = "seatrial.requirements.digest"
PREPARE = "seatrial.prepare"

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_INCLUDED = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[\s=]+(\S+)", re.MULTILINE)
_LOCAL = re.compile(r"^\s*(?:-e|--editable|\.|/|file:)|@\s*(?:file:|\.)", re.MULTILINE)
_PYTHON = re.compile(r"(?:^|/)python:(\d+\.\d+)")


@dataclass(frozen=True)
class Bundle:
    """The image, and what of the Dockerfile it leaves out, one sentence each."""

    layout: Layout
    notes: tuple[str, ...]


def make(source: Source, image: Image, dockerfile: str) -> Bundle:
    """Make a bundle. ``dockerfile`` is the Dockerfile's path in the context.

    Raises :class:`UsageError` where the Dockerfile or the requirements are missing or cannot be understood.
    """
    text = source.text(dockerfile)
    if text is None:
        raise UsageError(f"{dockerfile} is not among the files git knows", hint="image.dockerfile names it")
    try:
        stage = last_stage(text, image.build_args)
    except ValueError as error:
        raise UsageError(f"{dockerfile}: {error}") from error
    files = laid_out(source.files, stage)
    home = stage.working_directory.strip("/")
    layer = Blob("application/vnd.oci.image.layer.v1.tar", tar(files))
    labels = {BUNDLE: "1", PREPARE: json.dumps([list(command) for command in image.prepare])}
    labels |= _requirements(source, image.requirements, posixpath.join("/", home))
    configuration = {
        "architecture": _MACHINES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": _configuration(stage, labels),
        "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
    }
    config = Blob("application/vnd.oci.image.config.v1+json", json.dumps(configuration, sort_keys=True).encode())
    return Bundle(Layout(config, (layer,)), tuple(_notes(stage, image)))


def laid_out(files: Mapping[str, File], stage: Stage) -> dict[str, File]:
    """Return the image's files by path without the leading slash.

    The whole context lies in the working directory, since what comes there by way of other stages is not followed; on
    top of it, each COPY from the context puts files where it says.
    """
    found = {posixpath.join(stage.working_directory.strip("/"), path): file for path, file in files.items()}
    for copy in stage.copies:
        found |= dict(_copied(files, copy))
    return found


def _copied(files: Mapping[str, File], copy: Copy) -> Iterator[tuple[str, File]]:
    """Yield what one COPY puts where, by the rules of the Dockerfile reference: a directory's *content* is copied."""
    into_directory = copy.destination.endswith("/") or len(copy.sources) > 1
    destination = copy.destination.strip("/")
    for pattern in copy.sources:
        wanted = posixpath.normpath(pattern.lstrip("/") or ".")
        for path, file in files.items():
            matched = _matched(path, wanted)
            if matched is None:
                continue
            below = path.removeprefix(matched).lstrip("/") if matched != "." else path
            if below:
                yield posixpath.join(destination, below), file
            else:
                yield (posixpath.join(destination, posixpath.basename(path)) if into_directory else destination), file


def _matched(path: str, wanted: str) -> str | None:
    """Return the part of ``path`` that the source pattern names: the file itself or a directory above it."""
    if wanted == ".":
        return "."
    depth = wanted.count("/") + 1
    head = "/".join(path.split("/")[:depth])
    same_depth = head.count("/") + 1 == depth
    return head if same_depth and fnmatch.fnmatchcase(head, wanted) else None


def _configuration(stage: Stage, labels: Mapping[str, str]) -> dict[str, object]:
    said: dict[str, object] = {
        "Env": [f"{key}={value}" for key, value in stage.environment.items()],
        "Entrypoint": list(stage.entry_point),
        "Cmd": list(stage.command),
        "WorkingDir": stage.working_directory,
        "User": stage.user,
        "StopSignal": stage.stop_signal,
        "Labels": dict(labels),
    }
    return {key: value for key, value in said.items() if value}


def _requirements(source: Source, path: str, home: str) -> dict[str, str]:
    """Return the labels that name the requirements and stand for all that decides what they install."""
    if source.text(path) is None:
        raise UsageError(
            f"{path} is not among the files git knows, and the process runtime installs the project's packages from it",
            hint="image.requirements names the pinned requirements; they are read inside image.context",
        )
    digest = hashlib.sha256()
    seen: list[str] = []
    waiting = [path]
    while waiting:
        one = waiting.pop()
        text = source.text(one)
        if one in seen or text is None:
            continue
        seen.append(one)
        digest.update(f"{one}\0{text}\0".encode())
        if _LOCAL.search(text):  # the project itself, or files of it, get installed: all of it decides
            digest.update(hashlib.sha256(tar(source.files)).digest())
        folder = posixpath.dirname(one)
        waiting += [posixpath.normpath(posixpath.join(folder, name)) for name in _INCLUDED.findall(text)]
    return {
        REQUIREMENTS: posixpath.join(home, path),
        REQUIREMENTS_DIGEST: f"sha256:{digest.hexdigest()}",
    }


def _notes(stage: Stage, image: Image) -> Iterator[str]:
    runs = sum(line.startswith("RUN") for line in stage.not_done)
    if runs:
        instead = "runs instead" if image.prepare else "can name commands to run instead"
        yield f"the bundle runs none of the last stage's RUN instructions ({runs}); [image] prepare {instead}"
    for line in stage.not_done:
        if not line.startswith("RUN"):
            yield f"the bundle leaves out what comes from elsewhere: {line}"
    python = _PYTHON.search(stage.base)
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if python and python[1] != here:
        yield f"the image is built on Python {python[1]}; as plain processes it runs on Python {here}"
