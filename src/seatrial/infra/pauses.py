"""Answering the PAUSE hooks of deployments that a stack update starts.

A service whose deployments wait for smoke checks waits in every one of them: in the first of a new service too, and in
one that a changed property starts. CloudFormation waits with it. Such a deployment brings no new image, so it goes on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from seatrial.aws.ecs import Ecs
from seatrial.aws.errors import NotFound
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.aws.clock import Clock
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings

#: Seconds by which this machine's clock may be ahead of AWS's.
_SKEW = 60


class Pauses:
    """Lets deployments of the services that have traffic go on; those created since it was made."""

    def __init__(self, settings: Settings, aws: Aws, clock: Clock, progress: Callable[[str], None]) -> None:
        self._units = [unit for unit, service in settings.services.items() if service.routed]
        self._ecs = Ecs(aws, names.cluster(settings))
        self._since = clock.now() - timedelta(seconds=_SKEW)
        self._progress = progress

    def answer(self) -> None:
        """Look once, and let go on what waits."""
        for unit in self._units:
            try:
                under_way = [
                    each.arn
                    for each in self._ecs.service_deployments(unit, since=self._since)
                    if each.status == "IN_PROGRESS"
                ]
            except NotFound:  # the service, or its cluster, is not made yet
                continue
            for deployment in self._ecs.describe_deployments(under_way).values():
                if deployment.waiting is not None:
                    self._ecs.answer_hook(deployment.arn, deployment.waiting.id, go_on=True)
                    self._progress(f"{unit}: its deployment goes on, for no release is being tested")
