"""What a publication does to ``live/``: what is copied in which order, what is removed, what is invalidated. Pure.

Whoever loads a page at any moment must find what it names. So what pages name goes live before the pages, the entry
page goes last, and the hashed files of earlier builds stay for the tabs that still run those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from seatrial.publish.types import is_page

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from seatrial.publish.manifest import File, Manifest

#: The default root object of the distribution.
INDEX = "index.html"

#: More paths than these are invalidated by one wildcard: a thousand paths a month are free and then each is paid for
#: (CloudFront developer guide, "Pay for file invalidation"); ``/*`` counts as one.
_MOST_PATHS = 15


@dataclass(frozen=True)
class Changes:
    """What to do, in this order.

    ``stages`` are paths to write, all of one before any of the next. ``removed`` are paths to delete after that,
    ``invalidated`` the paths that the edge must forget then, as CloudFront takes them.
    """

    stages: tuple[tuple[str, ...], ...]
    removed: tuple[str, ...]
    invalidated: tuple[str, ...]

    @property
    def written(self) -> int:
        """How many files are written."""
        return sum(map(len, self.stages))

    def __bool__(self) -> bool:
        return bool(self.stages or self.removed)


def changes(
    wanted: Mapping[str, File],
    there: Mapping[str, File | None],
    kept: Collection[Manifest],
    *,
    last: Collection[str],
) -> Changes:
    """Return what makes ``there`` serve what is ``wanted``, both by path.

    ``there`` has None for a file of which it is not known that it is as it was published. ``kept`` are the builds whose
    hashed files stay; ``last`` the pages that open the site.
    """
    written = [path for path, file in wanted.items() if there.get(path) != file]
    staying = {path for build in kept for path, file in build.files.items() if file.immutable}
    removed = sorted(there.keys() - wanted.keys() - staying)
    stages = _stages(written, wanted, last)
    stale = [path for path in written if not wanted[path].immutable]
    stale += [path for path in removed if (file := there[path]) is None or not file.immutable]
    return Changes(tuple(stages), tuple(removed), _paths(stale))


def _stages(written: Sequence[str], wanted: Mapping[str, File], last: Collection[str]) -> Iterator[tuple[str, ...]]:
    def stage(path: str) -> int:
        if path in last:
            return 3
        return 2 if is_page(path) else 0 if wanted[path].immutable else 1

    for number in range(4):
        if found := tuple(sorted(path for path in written if stage(path) == number)):
            yield found


def _paths(changed: Sequence[str]) -> tuple[str, ...]:
    """Return what CloudFront is to forget. A new file may be known to it as a page that was not there."""
    paths = {f"/{quote(path)}" for path in changed}
    if INDEX in changed:
        paths.add("/")
    return ("/*",) if len(paths) > _MOST_PATHS else tuple(sorted(paths))
