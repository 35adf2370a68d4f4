"""CloudFront: making the edge forget what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.aws.session import Aws

#: What GetInvalidation says when every edge location has forgotten (CloudFront API reference, Invalidation).
COMPLETED = "Completed"


class CloudFront:
    """The calls."""

    def __init__(self, aws: Aws) -> None:
        self._client = aws.client("cloudfront")

    def invalidate(self, distribution: str, paths: Sequence[str], reference: str) -> str:
        """Begin an invalidation and return its id.

        The same call again, with the same ``reference``, answers the same invalidation.
        """
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": reference}
        answer = self._client.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
        return str(answer["Invalidation"]["Id"])

    def invalidation(self, distribution: str, invalidation: str) -> str:
        """Return how far an invalidation is: InProgress or Completed."""
        answer = self._client.get_invalidation(DistributionId=distribution, Id=invalidation)
        return str(answer["Invalidation"]["Status"])
