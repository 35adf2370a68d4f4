"""How the old version was set up: by the ``seatrial.toml`` of its own revision.

A service, a site or a task that came with the new version is nothing that the old one's code could run, and the
infrastructure is changed before the new one is released, as it will be on AWS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from seatrial.config.load import loads
from seatrial.config.models import Settings
from seatrial.errors import ConfigError
from seatrial.rehearsal.revisions import text_at
from seatrial.stack import names

if TYPE_CHECKING:
    from pathlib import Path

#: What today's file says for both versions, besides how the release is rehearsed.
_TODAYS = ("target", "smoke", "hooks", "notify")


@dataclass(frozen=True)
class Before:
    """The old version's ``settings``; ``why`` says why they are not its own, None where they are."""

    settings: Settings
    why: str | None = None

    def lost(self, now: Settings) -> frozenset[str]:
        """Return the logical names of services that are no more."""
        return frozenset(f"{names.logical(unit)}Service" for unit in self.settings.services.keys() - now.services)


def before(path: Path, revision: str, now: Settings) -> Before:
    """Return how the revision (a full id) of the project set up the environment of ``now``.

    ``path`` is today's ``seatrial.toml``. Where the revision has none, or one that cannot be used today, that says
    ``now`` too.
    """
    file = f"{path.name} of {revision[:12]}"
    text = text_at(path.resolve().parent, revision, path.name)
    if text is None:
        return Before(now, f"{revision[:12]} has no {path.name}: the old version is set up by today's")
    try:
        own = loads(text, now.name, file=file)
        setup = tuple(name for name in now.rehearsal.setup if name in own.tasks)
        todays = {name: getattr(now, name) for name in _TODAYS}
        own = own.model_copy(update=todays | {"rehearsal": now.rehearsal.model_copy(update={"setup": setup})})
        own = Settings.model_validate(own.model_dump(by_alias=True))
    except ConfigError as error:
        return Before(now, f"{error.message}: the old version is set up by today's")
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        return Before(now, f"{file}: {problem}: the old version is set up by today's")
    if own.app != now.app:
        return Before(now, f"{file} is of another [app]: the old version is set up by today's")
    return Before(own)
