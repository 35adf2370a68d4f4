"""Which version gets how much of a service's traffic. Pure.

A rule shares requests out among target groups by their weights, and a group among its healthy targets evenly; a group
without a healthy target sends to all it has ("Target group health", Application Load Balancer user guide).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.aws.ecs import Attachment
    from seatrial.aws.elbv2 import Forward, TargetHealth

#: Targets that a load balancer knows and sends nothing to, healthy or not.
_LEAVING = ("draining", "unused")


@dataclass(frozen=True)
class Group:
    """A target group: the part of the requests that it gets (0 to 1), and its targets."""

    share: float
    targets: tuple[TargetHealth, ...]


def group_shares(attachment: Attachment, forwards: Sequence[Forward]) -> dict[str, float]:
    """Return the part of the requests that each of a service's target groups gets, by its rule for production.

    Without a rule of that name all rules but those of other groups count, and the first one decides: rules of one
    service differ in their conditions, not in their weights.
    """
    known = [each for each in forwards if attachment.production_rule in (None, each.rule)] or forwards
    weights = next((each.weights for each in known if set(attachment.groups) & each.weights.keys()), {})
    total = sum(weights.get(group, 0) for group in attachment.groups)
    return {group: weights.get(group, 0) / total if total else 0.0 for group in attachment.groups}


def by_version(groups: Sequence[Group], versions: Mapping[str, str]) -> dict[str, float]:
    """Return each version's part of the requests. ``versions`` maps a task's address to its version.

    The parts come to 1, or to 0 where there is no target; a target that is no task of the service is ``?``.
    """
    found: dict[str, float] = {}
    for group in groups:
        staying = [each for each in group.targets if each.state not in _LEAVING]
        receiving = [each for each in staying if each.state == "healthy"] or staying
        counts = Counter(versions.get(each.address, "?") for each in receiving)
        for version, count in counts.items():
            found[version] = found.get(version, 0.0) + group.share * count / len(receiving)
    return found
