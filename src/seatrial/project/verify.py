"""What a release looks at first: that the project has what seatrial.toml names. Only what files can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import ConfigError
from seatrial.project.commands import started
from seatrial.project.modules import Modules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from seatrial.config.models import Settings


@dataclass(frozen=True)
class Findings:
    """What was found: the settings module's file, and the modules that the commands start and the project owns."""

    settings_file: str
    modules: tuple[str, ...]


def verify(settings: Settings, paths: Collection[str], *, file: str = "seatrial.toml") -> Findings:
    """Return what was found among ``paths``, those of the image's context.

    Raises :class:`~seatrial.errors.ConfigError` naming ``file`` and the key for a settings module, a command's module
    or a script that is not there. A module whose first name is not the project's may come from an installed package
    and passes, unless it is a misspelling of one of the project's.
    """
    modules = Modules(paths)
    settings_file = modules.file(settings.app.settings)
    if settings_file is None:
        raise _missing(settings.app.settings, modules, file, "app.settings")
    found = []
    for key, command in _commands(settings):
        start = started(command)
        if start.script is not None and not modules.has(start.script) and not start.script.startswith("/"):
            raise ConfigError(
                f"there is no {start.script} in {settings.image.context}",
                file=file,
                key=key,
                hint="paths of a command are relative to the image's working directory",
            )
        if start.module is None:
            continue
        if modules.file(start.module) is not None:
            found.append(start.module)
        elif modules.owns(start.module) or modules.nearest(start.module) is not None:
            raise _missing(start.module, modules, file, key)
    return Findings(settings_file, tuple(dict.fromkeys(found)))


def _commands(settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    for table, units in (("services", settings.services), ("tasks", settings.tasks), ("jobs", settings.jobs)):
        for name, unit in units.items():
            yield f"{table}.{name}.command", unit.command


def _missing(module: str, modules: Modules, file: str, key: str) -> ConfigError:
    nearest = modules.nearest(module)
    return ConfigError(
        f"there is no module {module} in the project",
        file=file,
        key=key,
        hint=f"did you mean {nearest}?" if nearest else "is the file committed, or at least not ignored by git?",
    )
