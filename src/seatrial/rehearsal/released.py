"""Which version an environment runs, by its own release record: what the next release of it will be released over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seatrial.aws.session import Aws
from seatrial.aws.ssm import Ssm
from seatrial.config.load import environments, load
from seatrial.emulator import process as emulators
from seatrial.errors import UsageError
from seatrial.release.record import Records
from seatrial.stack import names

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.config.models import Settings
    from seatrial.release.record import Record


def old_version(path: Path, settings: Settings, wanted: str | None) -> tuple[str | None, str]:
    """Return the git revision that is to be released first, None to let git decide, and a sentence that says why.

    ``path`` is the ``seatrial.toml``, ``settings`` are those of the environment that is rehearsed. ``wanted`` may be
    the name of an environment, whose record is read (with the usual AWS credentials, or from its emulator), or else a
    revision. Without it the record of the rehearsed environment counts if that is on an emulator that runs now.
    Raises :class:`~seatrial.errors.UsageError` where the named environment has no release.
    """
    if wanted is not None and wanted not in environments(path):
        return wanted, f"{wanted} was named"
    asked = settings if wanted in (None, settings.name) else load(path, wanted)
    if wanted is None and (settings.target.cloud != "emulator" or not _emulated(path)):
        return None, "no record was asked: git decides"
    serving = _serving(asked, path)
    if serving is not None:
        return commit_of(serving.version), f"release {serving.number} of {asked.name} is {serving.version}"
    if wanted is not None:
        raise UsageError(f"{wanted} has no release yet", hint="name a git revision with --from")
    return None, f"{settings.name} has no release yet: git decides"


def commit_of(version: str) -> str:
    """Return the commit in a version: all of it, or what stands before ``-`` if the tree had changes of its own."""
    return version.partition("-")[0]


def _emulated(path: Path) -> bool:
    name = os.environ.get("SEATRIAL_EMULATOR", "local")
    return emulators.find(path.resolve().parent, name) is not None


def _serving(settings: Settings, path: Path) -> Record | None:
    aws = Aws.for_environment(settings, path.resolve().parent)
    return Records(Ssm(aws), names.release_prefix(settings)).serving()
