"""What CodeDeploy asks of the rest of AWS, and the adapter that answers from moto's backends.

Nothing else of this room touches a moto backend. The names used are: ``elbv2_backends.target_groups``,
``cloudwatch_backends.get_alarms_by_alarm_names`` and ``s3_backends.buckets``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from seatrial.emulator.alarms import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.emulator.clock import Clock


class Surroundings(Protocol):
    """AWS around CodeDeploy."""

    def target_group(self, name: str) -> str | None:
        """Return the ARN of a target group by its name, None where there is none."""
        ...

    def alarms(self, names: Sequence[str]) -> dict[str, str]:
        """Return the states of the CloudWatch alarms of these names; those that do not exist are left out."""
        ...

    def content(self, bucket: str, key: str) -> str | None:
        """Return the text of an S3 object, None where there is none."""
        ...


class MotoSurroundings:
    """:class:`Surroundings` over moto's backends of one account and region."""

    def __init__(self, account: str, region: str, clock: Clock) -> None:
        self._account = account
        self._region = region
        self._clock = clock

    def target_group(self, name: str) -> str | None:
        """See :meth:`Surroundings.target_group`."""
        from moto.elbv2.models import elbv2_backends

        groups = list(elbv2_backends[self._account][self._region].target_groups.values())
        return next((str(group.arn) for group in groups if group.name == name), None)

    def alarms(self, names: Sequence[str]) -> dict[str, str]:
        """See :meth:`Surroundings.alarms`."""
        from moto.cloudwatch.models import cloudwatch_backends

        backend = cloudwatch_backends[self._account][self._region]
        evaluate(backend, self._clock)
        return {alarm.name: alarm.state_value for alarm in backend.get_alarms_by_alarm_names(list(names))}

    def content(self, bucket: str, key: str) -> str | None:
        """See :meth:`Surroundings.content`."""
        from moto.s3.models import FakeKey, s3_backends

        found = s3_backends[self._account]["aws"].buckets.get(bucket)
        held = found.keys.get(key) if found is not None else None
        if not isinstance(held, FakeKey):  # nothing, or a delete marker
            return None
        content: bytes = held.value
        return content.decode(errors="replace")
