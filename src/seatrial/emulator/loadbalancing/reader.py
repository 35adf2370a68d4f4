"""Reads moto's load balancers. The only file here that knows how moto keeps them.

Names of moto used: ``elbv2_backends``, ``FakeLoadBalancer``, ``FakeListener``, ``FakeRule``, ``FakeTargetGroup`` and
the ACM and IAM certificate stores. moto's state has no locks, so every mapping is copied before it is walked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.loadbalancing.snapshot import (
    BalancerState,
    GroupState,
    HealthCheck,
    ListenerState,
    RuleState,
    Snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def read() -> Snapshot:
    """Copy the state of every account and region."""
    backends = list(_backends())
    return Snapshot(
        balancers=tuple(_balancer(each) for backend in backends for each in list(backend.load_balancers.values())),
        groups={each.arn: _group(each) for backend in backends for each in list(backend.target_groups.values())},
    )


def settle(snapshot: Snapshot, address_of: Callable[[str], str]) -> None:
    """Write back what follows from the listeners: each balancer's ``DNSName``, each group's ``LoadBalancerArns``.

    moto invents a host name, and forgets target groups that ModifyListener and ModifyRule bring in.
    """
    users: dict[str, list[str]] = {arn: [] for arn in snapshot.groups}
    for balancer in snapshot.balancers:
        alone = Snapshot((balancer,))
        for arn in alone.attached() & users.keys():
            users[arn].append(balancer.arn)
    for backend in _backends():
        for each in list(backend.load_balancers.values()):
            each.dns_name = address_of(each.arn)
        for each in list(backend.target_groups.values()):
            each.load_balancer_arns = users.get(each.arn, each.load_balancer_arns)


def certificate_names(arn: str) -> tuple[str, ...]:
    """Return the domain names of an ACM or IAM certificate; none where it is unknown or cannot be read."""
    from cryptography import x509
    from moto.acm.models import acm_backends
    from moto.iam.models import iam_backends

    for account in list(acm_backends.values()):
        for backend in list(account.values()):
            bundle = backend._certificates.get(arn)  # noqa: SLF001  # get_certificate() also ages the certificate
            if bundle is not None:
                return tuple(dict.fromkeys([bundle.common_name, *bundle.sans]))
    for account in list(iam_backends.values()):
        for backend in list(account.values()):
            stored = backend.get_certificate_by_arn(arn)
            if stored is None:
                continue
            try:
                certificate = x509.load_pem_x509_certificate(stored.cert_body.encode())
                extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            except (ValueError, x509.ExtensionNotFound):
                return ()  # IAM takes any text; the listener is then good for the balancer's address alone
            return tuple(extension.value.get_values_for_type(x509.DNSName))
    return ()


def _backends() -> Iterator[Any]:
    from moto.elbv2.models import elbv2_backends

    for account in list(elbv2_backends.values()):
        yield from list(account.values())


def _balancer(balancer: Any) -> BalancerState:
    return BalancerState(
        arn=balancer.arn,
        name=balancer.name,
        type=balancer.type,
        listeners=tuple(_listener(each) for each in list(balancer.listeners.values())),
        attributes=dict(balancer.attrs),
    )


def _listener(listener: Any) -> ListenerState:
    return ListenerState(
        arn=listener.arn,
        protocol=listener.protocol,
        port=int(listener.port),
        rules=tuple(_rule(each) for each in list(listener.rules.values())),
        certificates=tuple(dict.fromkeys(listener.certificates)),
    )


def _rule(rule: Any) -> RuleState:
    return RuleState(
        arn=rule.arn,
        priority=None if rule.is_default else int(rule.priority),
        conditions=tuple(dict(each) for each in rule.conditions),
        actions=tuple(dict(each.data) for each in rule.actions),
    )


def _group(group: Any) -> GroupState:
    return GroupState(
        arn=group.arn,
        name=group.name,
        protocol=group.protocol or "",
        port=int(group.port or 0),
        target_type=group.target_type,
        health_check=_health_check(group),
        attributes={key: str(value) for key, value in dict(group.attributes).items()},
    )


def _health_check(group: Any) -> HealthCheck:
    port = str(group.health_check_port or "traffic-port")
    matcher = getattr(group, "matcher", None) or {}
    return HealthCheck(
        protocol=group.health_check_protocol or group.protocol or "",
        port=None if port == "traffic-port" else int(port),
        path=group.health_check_path or "/",
        matcher=matcher.get("HttpCode") or "200",
        interval=float(group.health_check_interval_seconds),
        timeout=float(group.health_check_timeout_seconds),
        healthy_threshold=int(group.healthy_threshold_count),
        unhealthy_threshold=int(group.unhealthy_threshold_count),
    )
