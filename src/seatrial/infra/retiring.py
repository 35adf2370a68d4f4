"""Services that come and go with a stack update: what is refused, and what is done before.

CloudFormation deletes a service before the listener rules that it depends on, so that for the time of its draining
users would meet 503. The rules go first, and requests to what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.aws.ecs import Ecs
from seatrial.aws.elbv2 import Elbv2
from seatrial.aws.errors import NotFound
from seatrial.aws.ssm import Ssm
from seatrial.errors import UsageError
from seatrial.release.record import Records
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from seatrial.aws.ecs import Service
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.infra.changes import Planned

_SERVICE = "AWS::ECS::Service"
_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"


def refuse_what_serves(
    settings: Settings, aws: Aws, changes: Iterable[Planned], allowed: frozenset[str] = frozenset()
) -> None:
    """Raise :class:`~seatrial.errors.UsageError` if a service would go that the release which serves still has.

    ``allowed`` are logical names (``WorkerService``) or paths.
    """
    removed = _removed(changes, _SERVICE)
    refused = {
        _name(each): each
        for each in removed
        if not allowed & {each.path, each.change.logical_id} and _name(each) not in settings.services
    }
    running = {
        unit for unit, service in _services(settings, aws, refused).items() if service.desired or service.running
    }
    serving = Records(Ssm(aws), names.release_prefix(settings)).serving() if running else None
    needed = [unit for unit in refused if serving is not None and unit in running and unit in serving.revisions]
    if serving is None or not needed:
        return
    named = " ".join(f"--replace {refused[unit].change.logical_id}" for unit in needed)
    raise UsageError(
        f"{', '.join(needed)} would be removed, and release {serving.number}, which serves, still has it; "
        "nothing was changed",
        details=tuple(str(refused[unit]) for unit in needed),
        hint=f"release without it first: `seatrial deploy {settings.name}`, then repeat this; or add {named}",
    )


def close_routes(settings: Settings, aws: Aws, changes: Iterable[Planned]) -> list[str]:
    """Delete the rules that lead to services which are about to be removed, and return those services' names."""
    changes = tuple(changes)
    gone = {each.change.physical_id for each in _removed(changes, _RULE)}
    closed = []
    elbv2 = Elbv2(aws)
    for unit, service in _services(settings, aws, {_name(each) for each in _removed(changes, _SERVICE)}).items():
        groups = [group for attachment in service.attachments for group in attachment.groups]
        rules = [each.rule for each in elbv2.forwards(groups) if each.rule in gone] if groups else []
        for rule in rules:
            elbv2.delete_rule(rule)
        closed += [unit] if rules else []
    return closed


def not_served_yet(settings: Settings, changes: Iterable[Planned]) -> list[str]:
    """Return a sentence for each service with routes that is added: until a release starts it nobody answers there."""
    added = {each.change.logical_id for each in changes if (each.change.action, each.change.type) == ("Add", _SERVICE)}
    return [
        f"{unit} has no tasks before the next release, and until then {', '.join(service.routes)} answers 503"
        for unit, service in settings.services.items()
        if service.routed and f"{names.logical(unit)}Service" in added
    ]


def _removed(changes: Iterable[Planned], type_: str) -> list[Planned]:
    return [each for each in changes if (each.change.action, each.change.type) == ("Remove", type_)]


def _name(planned: Planned) -> str:
    """Return the service's name, which is the last part of its ARN."""
    return (planned.change.physical_id or "").rpartition("/")[2]


def _services(settings: Settings, aws: Aws, units: Collection[str]) -> dict[str, Service]:
    try:
        return Ecs(aws, names.cluster(settings)).services(tuple(units)) if units else {}
    except NotFound:
        return {}
