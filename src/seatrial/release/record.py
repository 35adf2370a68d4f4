"""Numbered releases of an environment, in the SSM parameter store.

``/APP/ENV/releases/000012`` holds one release as JSON (a standard parameter holds 4 KB), ``/APP/ENV/latest`` the
newest number. Numbers are given at the start of a release, while the lock is held, so a release that was killed
leaves a record that says ``started``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from seatrial.aws.errors import AlreadyExists

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.aws.ssm import Ssm

Ending = Literal["started", "released", "rolled_back", "refused", "unwatched", "needs_human"]

#: Bytes of a standard parameter's value (SSM API reference, PutParameter).
_ROOM = 4096


@dataclass(frozen=True)
class Record:
    """One release.

    ``revisions`` maps every service, task and job to ``family:number``, ``migrations`` every Django app to its newest
    migration in the released code (empty where nobody looked), ``migration_files`` is the fingerprint of what decides
    about migrations (empty where only the image was known). ``site`` is the site build that is live with it, made of
    the files of ``site_version``; both are empty without a site.
    """

    number: int
    version: str
    digest: str
    revisions: dict[str, str]
    who: str
    at: datetime
    ending: Ending = "started"
    seconds: float = 0.0
    note: str = ""
    migrations: dict[str, str] = field(default_factory=dict)
    migration_files: str = ""
    site: str = ""
    site_version: str = ""

    def ended(self, ending: Ending, seconds: float, note: str) -> Record:
        """Return the record with its ending."""
        return replace(self, ending=ending, seconds=round(seconds, 1), note=note)


class Records:
    """The releases of one environment. ``prefix`` is :func:`seatrial.stack.names.release_prefix`."""

    def __init__(self, ssm: Ssm, prefix: str) -> None:
        self._ssm = ssm
        self._prefix = prefix

    def latest_number(self) -> int:
        """Return the number of the newest release, 0 before the first."""
        return int(self._ssm.get(f"{self._prefix}/latest") or 0)

    def open(self, record: Record) -> Record:
        """Write a new record under the next free number and return it with that number."""
        number = self.latest_number() + 1
        while True:
            numbered = replace(record, number=number)
            try:
                self._ssm.put(self._name(number), encoded(numbered), overwrite=False)
            except AlreadyExists:
                if self._ssm.get(self._name(number)) != encoded(numbered):  # a release died between its two writes
                    number += 1
                    continue
            self._ssm.put(f"{self._prefix}/latest", str(number), overwrite=True)
            return numbered

    def close(self, record: Record) -> None:
        """Write the record as it ended."""
        self._ssm.put(self._name(record.number), encoded(record), overwrite=True)

    def get(self, number: int) -> Record | None:
        """Return release ``number``."""
        value = self._ssm.get(self._name(number))
        return None if value is None else decoded(value)

    def newest_first(self) -> Iterator[Record]:
        """Yield the releases, ten a call, until the caller has seen enough."""
        top = self.latest_number()
        while top > 0:
            names = [self._name(number) for number in range(top, max(top - 10, 0), -1)]
            found = self._ssm.get_many(names)
            yield from (decoded(found[name]) for name in names if name in found)
            top -= 10

    def serving(self) -> Record | None:
        """Return the newest release that was released, None before the first."""
        return next((each for each in self.newest_first() if each.ending == "released"), None)

    def before(self, record: Record) -> Record | None:
        """Return the newest release that was released before ``record`` with other revisions or another site."""
        return next(
            (
                each
                for each in self.newest_first()
                if each.ending == "released"
                and each.number < record.number
                and (each.revisions, each.site) != (record.revisions, record.site)
            ),
            None,
        )

    def _name(self, number: int) -> str:
        return f"{self._prefix}/releases/{number:06d}"


def encoded(record: Record) -> str:
    """Return the record as JSON of at most 4 KB.

    Where it is longer, the migrations go first, since the database knows them too; then a long note is cut.
    """
    text = _json(record)
    if len(text.encode()) > _ROOM:
        record = replace(record, migrations={})
        text = _json(record)
    if len(text.encode()) > _ROOM:
        over = len(text.encode()) - _ROOM
        kept = record.note.encode()[: max(0, len(record.note.encode()) - over - 8)].decode(errors="ignore")
        text = _json(replace(record, note=kept + "..."))
    return text


def decoded(text: str) -> Record:
    """Return the record of :func:`encoded`'s text."""
    values = json.loads(text)
    return Record(**{**values, "at": datetime.fromisoformat(values["at"])})


def _json(record: Record) -> str:
    return json.dumps({**asdict(record), "at": record.at.isoformat()}, separators=(",", ":"))
