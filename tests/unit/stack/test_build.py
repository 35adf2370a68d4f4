from __future__ import annotations

from typing import Any

import pytest

from seatrial.errors import UsageError
from seatrial.stack import model
from seatrial.stack.build import build
from tests.unit.stack.support import EVERYTHING, WEB, settings


def container(unit: str, **changes: Any) -> model.Container:
    return next(each for each in build(settings(**changes)).app.containers if each.unit == unit)


def test_what_every_container_is_told() -> None:
    web = container("web")
    assert dict(web.environment) == {"DJANGO_SETTINGS_MODULE": "shop.settings", "SEATRIAL_ENVIRONMENT": "production"}
    assert web.secrets == ()


def test_a_database_is_told_in_the_names_that_libpq_reads() -> None:
    web = container("web", database={"name": "stock"})
    assert dict(web.environment) | {
        "PGHOST": model.Wire.DATABASE_HOST,
        "PGPORT": model.Wire.DATABASE_PORT,
        "PGDATABASE": "stock",
    } == dict(web.environment)
    assert dict(web.secrets) == {
        "PGUSER": model.DatabaseCredential("username"),
        "PGPASSWORD": model.DatabaseCredential("password"),
    }


def test_cache_and_media_are_told() -> None:
    told = dict(container("web", cache={}, media={}).environment)
    assert told["REDIS_URL"] is model.Wire.CACHE_URL
    assert told["MEDIA_BUCKET"] is model.Wire.MEDIA_BUCKET


def test_services_tasks_and_jobs_are_told_the_same() -> None:
    containers = build(settings(**EVERYTHING)).app.containers
    assert len({each.secrets for each in containers}) == 1
    assert {each.unit for each in containers} == {
        "web", "events", "worker", "beat", "migrate", "low-stock-digest",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "name", "plain", "secret"),
    [
        ({"database": {}, "environment": {"PGHOST": "db.example"}}, "PGHOST", "db.example", None),
        ({"database": {}, "environment": {"PGUSER": "reader"}}, "PGUSER", "reader", None),
        ({"database": {}, "secrets": {"PGUSER": {}}}, "PGUSER", None, model.OwnSecret("PGUSER")),
        ({"cache": {}, "secrets": {"REDIS_URL": {}}}, "REDIS_URL", None, model.OwnSecret("REDIS_URL")),
        ({"environment": {"A": "1"}, "services": {"web": WEB | {"environment": {"A": "2"}}}}, "A", "2", None),
    ],
)
def test_what_the_file_says_wins(
    changes: dict[str, Any], name: str, plain: str | None, secret: model.SecretSource | None
) -> None:
    web = container("web", **changes)
    assert dict(web.environment).get(name) == plain
    assert dict(web.secrets).get(name) == secret


def test_a_name_comes_from_one_place() -> None:
    with pytest.raises(UsageError, match=r"KEY: given in \[secrets\] and as a plain variable of web"):
        build(settings(secrets={"KEY": {}}, environment={"KEY": "x"}))


def test_only_secrets_of_our_own_are_made() -> None:
    made = build(settings(**EVERYTHING)).app.secrets
    assert [(each.variable, each.name, each.generate) for each in made] == [
        ("DJANGO_SECRET_KEY", "shop/production/DJANGO_SECRET_KEY", 50),
        ("API_KEY", "shop/production/API_KEY", None),
    ]


def test_a_scheduler_is_never_there_twice() -> None:
    beat = next(each for each in build(settings(**EVERYTHING)).app.services if each.role == "scheduler")
    assert (beat.minimum_healthy_percent, beat.maximum_percent) == (0, 100)


@pytest.mark.parametrize(("cidr", "bits"), [("10.0.0.0/16", 12), ("10.0.0.0/20", 8), ("10.0.0.0/24", 4)])
def test_a_network_is_cut_into_sixteen(cidr: str, bits: int) -> None:
    assert build(settings(network={"cidr": cidr})).base.network.subnet_bits == bits


@pytest.mark.parametrize(
    ("cidr", "words"),
    [
        ("10.0.0.0/25", "sizes /16 to /24"),
        ("10.0.0.0/8", "sizes /16 to /24"),
        ("10.0.0.1/16", "host bits"),
        ("300.0.0.0/16", "network.cidr"),
    ],
)
def test_a_network_that_cannot_be(cidr: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        build(settings(network={"cidr": cidr}))


def test_the_host_is_part_of_the_route_where_there_is_a_domain() -> None:
    stack = build(settings(**EVERYTHING))
    assert {route.host for each in stack.app.services if each.balancing for route in each.balancing.routes} == {
        "shop.example.com"
    }


def test_a_service_without_health_check_is_asked_for_its_root() -> None:
    service = build(settings(services={"web": {"command": ["x"], "port": 80, "routes": ["/*"]}})).app.services[0]
    assert service.balancing is not None
    assert service.balancing.health_check.path == "/"


def test_equal_settings_make_equal_stacks() -> None:
    one, other = build(settings(**EVERYTHING)), build(settings(**EVERYTHING))
    assert one == other
    assert hash(one) == hash(other)


def test_a_job_that_may_not_overlap_is_wrapped() -> None:
    jobs = {name: {"command": ["work"], "schedule": "rate(1 hour)", "overlap": name} for name in ("allow", "skip")}
    found = {
        job.container.unit: job.container.command for job in build(settings(**EVERYTHING | {"jobs": jobs})).app.jobs
    }
    assert found["allow"] == ("work",)
    assert found["skip"][:2] == ("python", "-c")
    assert found["skip"][3:] == ("shop-production-skip", "work")
