"""What the site of an environment serves, and where that is not what was released. Only reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from seatrial.publish.bucket import SiteBucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.aws.session import Aws
    from seatrial.publish.live import Live
    from seatrial.release.facts import SiteStack
    from seatrial.release.record import Record

#: So many files are named one by one.
_NAMED = 3


@dataclass(frozen=True)
class SiteStatus:
    """The site. ``build``, ``version`` and ``release`` are of what is live as a whole, None before the first release.

    ``files`` are those that are served, the hashed ones of earlier builds among them. ``drift`` says where that is not
    what was released.
    """

    url: str
    build: str | None
    version: str | None
    release: int | None
    files: int
    drift: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return asdict(self)

    @property
    def line(self) -> str:
        """One line for people."""
        if self.build is None:
            return f"site  {self.url}  nothing is published yet"
        return f"site  {self.url}  {self.version}, by release {self.release} ({self.build[:19]}, {self.files} files)"


def site_status(stack: SiteStack, serving: Record | None, aws: Aws) -> SiteStatus:
    """Return what the site serves now."""
    bucket = SiteBucket(aws, stack.bucket)
    live, begun = bucket.live(), bucket.begun()
    served = bucket.known([live] if live else [])
    found = list(_against_the_record(live, serving))
    if begun:
        found.append(f"site: publishing {begun[-1].version} has not come to its end; a next release makes it whole")
    elif live is not None and not found:
        found += _differing([path for path, file in bucket.files(live).items() if served.get(path) != file])
    return SiteStatus(
        url=stack.url,
        build=live.build if live else None,
        version=live.version if live else None,
        release=live.release if live else None,
        files=len(served),
        drift=tuple(found),
    )


def _against_the_record(live: Live | None, serving: Record | None) -> Iterator[str]:
    released = serving.site if serving else ""
    if serving is None or released == (live.build if live else ""):
        return
    if not released:
        yield f"site: {live.version if live else 'nothing'} is live, and release {serving.number} had no site"
    elif live is None:
        yield f"site: nothing is live, release {serving.number} published {serving.site_version}"
    else:
        yield (
            f"site: {live.version} ({live.build[:19]}) is live, "
            f"release {serving.number} published {serving.site_version} ({released[:19]})"
        )


def _differing(paths: list[str]) -> Iterator[str]:
    if paths:
        more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
        yield f"site: {', '.join(paths[:_NAMED])}{more}: not as published; the next release of the site repairs that"
