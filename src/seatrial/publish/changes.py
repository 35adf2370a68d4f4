"""What a publication does to ``live/``: what is copied in which order, what is removed, what is invalidated. Pure.

Whoever loads a page at any moment must find what it names. So what pages name goes live before the pages, the entry
page goes last, and the hashed files of earlier builds stay for the tabs that still run those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from seatrial.publish.manifest import FOR_EVER, cache_control
from seatrial.publish.types import is_page

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from seatrial.config.site import Site
    from seatrial.publish.manifest import File, Manifest

#: The default root object of the distribution.
INDEX = "index.html"

#: Every path.
ALL = ("/*",)

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
    wanted: Mapping[str, File], there: Mapping[str, File | None], kept: Collection[Manifest], site: Site
) -> Changes:
    """Return what makes ``there`` serve what is ``wanted``, both by path.

    ``there`` has None for a file of which it is not known how it was published. ``kept`` are the builds whose hashed
    files stay.
    """
    written = [path for path, file in wanted.items() if there.get(path) != file]
    staying = {path for build in kept for path, file in build.files.items() if file.immutable}
    removed = sorted(there.keys() - wanted.keys() - staying)
    asked_for = [path for path in (*written, *removed) if cache_control(path, site) != FOR_EVER]
    return Changes(tuple(_stages(written, site)), tuple(removed), _paths(asked_for))


def _stages(written: Sequence[str], site: Site) -> Iterator[tuple[str, ...]]:
    def stage(path: str) -> int:
        if path in (INDEX, site.fallback):
            return 3
        return 2 if is_page(path) else 0 if cache_control(path, site) == FOR_EVER else 1

    for number in range(4):
        if found := tuple(sorted(path for path in written if stage(path) == number)):
            yield found


def _paths(changed: Sequence[str]) -> tuple[str, ...]:
    """Return what CloudFront is to forget. A new file may be known to it as a page that was not there."""
    paths = {f"/{quote(path)}" for path in changed}
    if INDEX in changed:
        paths.add("/")
    return ALL if len(paths) > _MOST_PATHS else tuple(sorted(paths))
