"""Invalidations of one distribution: made, in progress for a while, then completed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.emulator.edge.shelf import new_id
from seatrial.emulator.front.actions import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

#: What may be in progress at one time for one distribution (CloudFront developer guide, "Quotas on invalidations").
FILES, WILDCARDS = 3000, 15


@dataclass
class Invalidation:
    """One of them; ``until`` is when it is completed, in seconds that never go backwards."""

    reference: str
    paths: tuple[str, ...]
    created: datetime
    until: float
    applied: bool = False
    id: str = field(default_factory=new_id)

    def shown(self, now: float) -> dict[str, Any]:
        """Return it as the API shows it."""
        batch = {"Paths": {"Quantity": len(self.paths), "Items": list(self.paths)}, "CallerReference": self.reference}
        return {"Id": self.id, "Status": self.status(now), "CreateTime": self.created, "InvalidationBatch": batch}

    def status(self, now: float) -> str:
        """Return InProgress or Completed."""
        return "Completed" if now >= self.until else "InProgress"


class Invalidations:
    """All of one distribution, oldest first."""

    def __init__(self) -> None:
        self.all: list[Invalidation] = []

    def create(self, batch: dict[str, Any], created: datetime, now: float, seconds: float) -> Invalidation:
        """Make one that will take ``seconds``; the same request again is the same invalidation.

        Raises ``ApiError`` for paths that cannot be, and where too many are in progress.
        """
        paths = tuple(batch["Paths"].get("Items") or ())
        if int(batch["Paths"]["Quantity"]) != len(paths):
            raise ApiError("InconsistentQuantities", "The value of Quantity and the size of Items don't match.")
        if not paths or any(not path.startswith("/") for path in paths):
            raise ApiError("InvalidArgument", "Your request contains one or more invalid invalidation paths.")
        reference = str(batch["CallerReference"])
        same = next((each for each in self.all if each.reference == reference), None)
        if same is not None:
            if same.paths == paths:
                return same
            raise ApiError(
                "InvalidationBatchAlreadyExists", "An invalidation with this CallerReference and other paths exists."
            )
        open_ = [*paths, *(path for each in self.all if each.status(now) == "InProgress" for path in each.paths)]
        wildcards = sum(path.endswith("*") for path in open_)
        if wildcards > WILDCARDS or len(open_) - wildcards > FILES:
            raise ApiError(
                "TooManyInvalidationsInProgress", "Processing your request would exceed the number of invalidations."
            )
        made = Invalidation(reference, paths, created, now + seconds)
        self.all.append(made)
        return made

    def in_progress(self, now: float) -> int:
        """Return how many are not completed yet."""
        return sum(each.status(now) == "InProgress" for each in self.all)

    def due(self, now: float) -> Iterator[tuple[str, ...]]:
        """Yield the paths of those that were completed since this was last asked."""
        for each in list(self.all):
            if not each.applied and each.status(now) == "Completed":
                each.applied = True
                yield each.paths
