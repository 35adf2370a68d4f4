"""Settings in, the neutral model out. Every decision that is not an infrastructure tool's is taken here."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.config.models import HealthCheck as HealthCheckSettings
from seatrial.config.strategies import Shifting
from seatrial.errors import UsageError
from seatrial.stack import model, names
from seatrial.stack.deployments import deployment, gate_hook, test_entry
from seatrial.stack.overlap import alone
from seatrial.stack.priorities import one_rule_each, priorities

if TYPE_CHECKING:
    from seatrial.config.models import Job, Service, Settings, Sized

#: A VPC is cut into this many bits' worth of equal subnets: 16, of which four are used, so that a team can add its own.
_SPLIT_BITS = 4


def build(settings: Settings) -> model.Stack:
    """Return the model of the environment that ``settings`` describes.

    Raises :class:`~seatrial.errors.UsageError` where settings are well-formed but cannot stand together on AWS.
    """
    return model.Stack(
        base=model.Base(
            name=names.base_stack(settings),
            network=_network(settings),
            ingress=model.Ingress(domain=settings.target.domain, certificate=settings.target.certificate),
            registry=model.Registry(name=names.repository(settings)),
            database=_database(settings),
            cache=None if settings.cache is None else model.Cache(settings.cache.version, settings.cache.node),
        ),
        app=model.App(
            name=names.app_stack(settings),
            project=settings.app.name,
            environment=settings.name,
            secrets=_secrets(settings),
            bucket=_bucket(settings),
            site=_site(settings),
            services=_services(settings),
            tasks=tuple(model.Task(_container(settings, unit, task)) for unit, task in settings.tasks.items()),
            jobs=tuple(_job(settings, unit, job) for unit, job in settings.jobs.items()),
            test_entry=test_entry(settings),
            gate_hook=gate_hook(settings, lambda unit: _container(settings, unit, settings.tasks[unit])),
        ),
    )


def _bucket(settings: Settings) -> model.Bucket | None:
    return None if settings.media is None else model.Bucket(settings.media.versioned, settings.media.origins)


def _network(settings: Settings) -> model.Network:
    try:
        block = ipaddress.IPv4Network(settings.network.cidr)
    except ValueError as error:
        raise UsageError(f"network.cidr: {error}", hint='for example "10.0.0.0/16"') from None
    if not 16 <= block.prefixlen <= 24:
        raise UsageError(
            f"network.cidr: {block} is outside the sizes /16 to /24",
            hint="a VPC is at most a /16, and each of its sixteen subnets at least a /28 (EC2 user guide)",
        )
    return model.Network(
        cidr=str(block),
        subnet_bits=32 - block.prefixlen - _SPLIT_BITS,
        public_tasks=settings.network.mode == "public",
    )


def _database(settings: Settings) -> model.Database | None:
    database = settings.database
    if database is None:
        return None
    return model.Database(
        version=database.version,
        name=database.name,
        instance=database.instance,
        storage=database.storage,
        multi_az=database.multi_az,
        backup_days=database.backup_days,
        deletion_protection=database.deletion_protection,
    )


def _secrets(settings: Settings) -> tuple[model.Secret, ...]:
    return tuple(
        model.Secret(variable=variable, name=names.secret(settings, variable), generate=secret.generate)
        for variable, secret in settings.secrets.items()
        if secret.value_from is None
    )


def _site(settings: Settings) -> model.Site | None:
    site = settings.site
    if site is None:
        return None
    return model.Site(
        name=names.site(settings),
        fallback=site.fallback,
        domain=site.domain,
        certificate=site.certificate,
        price_class=f"PriceClass_{site.price_class}",
        secure=site.domain is not None or settings.target.cloud == "aws",
    )


def _services(settings: Settings) -> tuple[model.Service, ...]:
    patterns = [pattern for service in settings.services.values() for pattern in service.routes]
    numbers = priorities(names.app_stack(settings), patterns)
    if isinstance(settings.target.strategy, Shifting):
        one_rule_each({unit: service.routes for unit, service in settings.services.items()}, numbers)
    services = []
    for unit, service in settings.services.items():
        low, high = service.healthy_percents
        services.append(
            model.Service(
                container=_container(settings, unit, service, port=service.port),
                role=service.role,
                count=service.count,
                minimum_healthy_percent=low,
                maximum_percent=high,
                balancing=_balancing(settings, service, numbers),
                deployment=deployment(settings, service),
                exec=settings.may_exec(unit),
            )
        )
    return tuple(services)


def _balancing(settings: Settings, service: Service, numbers: dict[str, int]) -> model.Balancing | None:
    if service.port is None:
        return None
    check = service.health_check or HealthCheckSettings()
    return model.Balancing(
        port=service.port,
        routes=_routes(settings, service.routes, numbers),
        health_check=model.HealthCheck(
            path=check.path,
            interval=check.interval,
            timeout=check.timeout,
            healthy=check.healthy,
            unhealthy=check.unhealthy,
            codes=check.codes,
        ),
        grace_period=service.grace_period,
        drain=service.drain,
    )


def _routes(settings: Settings, patterns: tuple[str, ...], numbers: dict[str, int]) -> tuple[model.Route, ...]:
    """Return a route for each pattern or, where ECS moves traffic by the one rule it is given, one for all.

    That one has the place of the least specific pattern, so it is the rule which that pattern has otherwise: a change
    of strategy changes a rule, and makes none with a priority that is taken.
    """
    host = settings.target.domain
    if isinstance(settings.target.strategy, Shifting):
        return (model.Route(patterns, host, max(numbers[pattern] for pattern in patterns)),)
    return tuple(model.Route((pattern,), host, numbers[pattern]) for pattern in patterns)


def _container(settings: Settings, unit: str, sized: Sized, *, port: int | None = None) -> model.Container:
    environment, secrets = _variables(settings, unit, sized)
    return model.Container(
        unit=unit,
        family=names.family(settings, unit),
        log_group=names.log_group(settings, unit),
        command=sized.command,
        cpu=sized.cpu,
        memory=sized.memory,
        stop_timeout=sized.stop_timeout,
        environment=environment,
        secrets=secrets,
        port=port,
    )


def _job(settings: Settings, unit: str, job: Job) -> model.Job:
    container = _container(settings, unit, job)
    if job.overlap == "skip":
        container = replace(container, command=alone(container.family, container.command))
    return model.Job(container, job.schedule)


def _variables(
    settings: Settings, unit: str, sized: Sized
) -> tuple[tuple[tuple[str, str | model.Wire], ...], tuple[tuple[str, model.SecretSource], ...]]:
    """Return plain variables and secrets of a container.

    What seatrial.toml says wins over what seatrial would set. ECS refuses one name in both lists, so a name that the
    file gives as a variable and as a secret is an error here.
    """
    said = settings.environment | sized.environment
    both = sorted(said.keys() & settings.secrets.keys())
    if both:
        raise UsageError(
            f"{', '.join(both)}: given in [secrets] and as a plain variable of {unit}",
            hint="a container can have a variable from one place only",
        )
    plain: dict[str, str | model.Wire] = {
        "DJANGO_SETTINGS_MODULE": settings.app.settings,
        "SEATRIAL_ENVIRONMENT": settings.name,
    }
    secret: dict[str, model.SecretSource] = {}
    if settings.database is not None:
        plain |= {
            "PGHOST": model.Wire.DATABASE_HOST,
            "PGPORT": model.Wire.DATABASE_PORT,
            "PGDATABASE": settings.database.name,
        }
        secret |= {
            "PGUSER": model.DatabaseCredential("username"),
            "PGPASSWORD": model.DatabaseCredential("password"),
        }
    if settings.cache is not None:
        plain["REDIS_URL"] = model.Wire.CACHE_URL
    if settings.media is not None:
        plain["MEDIA_BUCKET"] = model.Wire.MEDIA_BUCKET
    if settings.site is not None:
        plain["SITE_URL"] = model.Wire.SITE_URL
    plain = {name: value for name, value in plain.items() if name not in settings.secrets}
    plain.update(said)
    secret = {name: value for name, value in secret.items() if name not in said}
    for variable, given in settings.secrets.items():
        secret[variable] = (
            model.OwnSecret(variable) if given.value_from is None else model.ForeignSecret(given.value_from)
        )
    return tuple(sorted(plain.items())), tuple(sorted(secret.items()))
