"""seatrial.toml: what is refused and in which words, what is merged, and that nothing is lost."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from seatrial.config.load import loads
from seatrial.config.overlay import merged
from seatrial.config.schema import json_schema, reference
from seatrial.config.strategies import Canary, Linear, Rolling
from seatrial.errors import ConfigError

MINIMAL = """\
[app]
name = "shop"
settings = "shop.settings"

[services.web]
command = ["gunicorn", "shop.wsgi"]
port = 8000
routes = ["/*"]
"""


def test_the_minimal_file_has_a_local_environment_on_the_emulator() -> None:
    settings = loads(MINIMAL, "local")
    assert settings.target.cloud == "emulator"
    assert settings.services["web"].healthy_percents == (100, 200)


def test_an_overlay_changes_only_what_it_names() -> None:
    text = (
        MINIMAL
        + """
[environments.production]
base = "shared"
services.web.count = 4
services.web.drain = "2m"
"""
    )
    settings = loads(text, "production")
    assert (settings.services["web"].count, settings.services["web"].drain) == (4, 120)
    assert settings.services["web"].port == 8000
    assert settings.target.base == "shared"
    assert loads(text, "local").services["web"].count == 1


SHIFTED = (
    MINIMAL
    + """
[environments.one]
strategy = {{ type = "blue_green" }}
[environments.two]
{}
strategy = {{ type = "canary"{} }}
"""
)


def test_a_test_port_that_a_neighbour_on_the_base_has_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"is the test port of environments\.two too") as refused:
        loads(SHIFTED.format("", ""), "one")
    assert refused.value.key == "environments.one.strategy.test_port"
    assert refused.value.line == 11
    with pytest.raises(ConfigError, match=r"environments\.one too"):
        loads(SHIFTED.format("", ", test_port = 9443"), "two")


@pytest.mark.parametrize(
    ("apart", "port"),
    [
        ("", ", test_port = 9444"),
        ('base = "other"', ""),
        ('cloud = "emulator"', ""),
        ('account = "123456789012"', ""),
        ('app.region = "eu-west-3"', ""),
    ],
)
def test_environments_that_share_no_load_balancer_may_have_the_same_test_port(apart: str, port: str) -> None:
    text = SHIFTED.format(apart, port)
    assert [loads(text, name).name for name in ("one", "two", "local")] == ["one", "two", "local"]
    assert loads(text.replace("blue_green", "rolling"), "two").name == "two"


def test_a_scheduler_is_never_alive_twice() -> None:
    text = MINIMAL + '[services.beat]\nrole = "scheduler"\ncommand = ["celery"]\n'
    assert loads(text, "local").services["beat"].healthy_percents == (0, 100)


@pytest.mark.parametrize(
    ("addition", "environment", "expected"),
    [
        ("helth_check = '/'", "local", 'seatrial.toml:9: services.web.helth_check: is not a known key|"health_check"'),
        ("drain = '5 parsecs'", "local", 'seatrial.toml:9: services.web.drain: expected a duration such as "30s"'),
        (
            "[services.beat]\nrole = 'scheduler'\ncommand = ['celery']\nmaximum_percent = 200",
            "local",
            "seatrial.toml:9: services.beat: a scheduler is stopped before it is started",
        ),
        ("cpu = 300", "local", "seatrial.toml:5: services.web: cpu 300 is not a Fargate size"),
        ("memory = 513", "local", "seatrial.toml:5: services.web: memory 513 does not go with cpu 256"),
        ("role = 'schedular'", "local", "seatrial.toml:9: services.web.role: expected 'web', 'websocket'"),
        ("role = 'worker'", "local", "services.web: a worker service has no `port`"),
        ("count = -1", "local", "seatrial.toml:9: services.web.count: expected greater than or equal to 0, not -1"),
        ("[jobs.x]\nschedule = 'daily'\ncommand = ['x']", "local", "seatrial.toml:10: jobs.x.schedule: expected text"),
        ("[jobs.x]\ncommand = ['x']", "local", "seatrial.toml:9: jobs.x.schedule: is required"),
        ("[tasks.web]\ncommand = ['x']", "local", "web: services, tasks and jobs share one set of names"),
        ("[datbase]", "local", 'seatrial.toml:9: datbase: is not a known key|"database"'),
        ("[environments.staging]\ndomian = 'x'", "staging", 'environments.staging.domian: is not a known key|"domain"'),
        ("[environments.staging]\nservices.web.cout = 3", "staging", 'environments.staging.services.web.cout|"count"'),
        ("[environments.staging]", "stagin", 'environments.stagin: there is no environment "stagin"|"staging"'),
        ("[environments.prod]\ndomain = 'x.example'", "prod", "a domain needs the ARN of its ACM certificate"),
        ("environments = 3", "local", "seatrial.toml:9: services.web.environments"),
        ("[environments]\nprod = 3", "local", "seatrial.toml:10: environments.prod: expected a table"),
        ("[name]", "local", "seatrial.toml:9: name: is not a known key"),
        ("[secrets.KEY]\ngenerate = 50\nfrom = 'arn'", "local", "secrets.KEY: `generate` makes a new value"),
        ("[secrets]\n'not a name' = {}", "local", "secrets.not a name: expected text that matches"),
        ("[media]\norigins = ['https://x.example/']", "local", "media.origins"),
        ("[media]\norigins = ['*']", "local", "media.origins"),
        ("[rehearsal]\nsetup = ['seed']", "local", "rehearsal.setup: there is no [tasks.seed]"),
        (
            "[jobs.x]\nschedule = 'rate(1 day)'\ncommand = ['x']\noverlap = 'skip'", "local",
            "jobs.x.overlap: skip needs [database]",
        ),
        ("port = 1", "local", "seatrial.toml:9: is not valid TOML: Cannot overwrite a value"),
        ("x = [", "local", "is not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_refused_names_file_line_and_key(addition: str, environment: str, expected: str) -> None:
    message, _, hint = expected.partition("|")
    with pytest.raises(ConfigError) as caught:
        loads(MINIMAL + addition, environment)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_code == 2


def test_all_errors_of_a_file_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        loads(MINIMAL + "cuont = 2\ndrain = 'x'\n", "local")
    assert "services.web.cuont" in caught.value.message
    assert any("services.web.drain" in line for line in caught.value.details)


@given(
    st.dictionaries(st.sampled_from(["a", "b"]), st.integers()),
    st.dictionaries(st.sampled_from(["a", "b"]), st.integers()),
)
def test_an_overlay_wins_and_loses_nothing(below: dict[str, int], above: dict[str, int]) -> None:
    document = {"environment": below, "environments": {"x": {"environment": above}}}
    assert merged(document, "x")["environment"] == {**below, **above}


def test_the_schema_accepts_what_the_models_accept_and_refuses_unknown_keys() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    document: dict[str, Any] = {
        "app": {"name": "shop", "settings": "shop.settings"},
        "services": {"web": {"command": ["x"], "port": 80, "routes": ["/"], "health_check": "/up", "drain": "5s"}},
        "environments": {"production": {"domain": "x.example", "services": {"web": {"count": 2}}}},
    }
    validator.validate(document)
    loads(tomli_w.dumps({**document, "environments": {}}), "local")
    for broken in (
        {**document, "servces": {}},
        {**document, "environments": {"p": {"domian": "x"}}},
        {**document, "environments": {"p": {"services": {"web": {"cuont": 2}}}}},
    ):
        assert not validator.is_valid(broken)


def test_the_reference_names_every_key() -> None:
    page = reference()
    for definition in json_schema()["$defs"].values():
        for key in definition["properties"]:
            assert f"`{key}`" in page


def strategy(text: str) -> str:
    return f"[environments.p]\nstrategy = {{ {text} }}\n"


@pytest.mark.parametrize(
    ("addition", "expected"),
    [
        (strategy("type = 'canry'"), "seatrial.toml:10: environments.p.strategy.type: expected 'rolling', 'blue"),
        (strategy("bake = '5m'"), "seatrial.toml:10: environments.p.strategy.type: is required: rolling, blue_green"),
        (strategy("type = 'canary', bake = '90s'"), "strategy.bake: expected whole minutes, which is how ECS counts"),
        (strategy("type = 'canary', percnt = 3"), 'strategy.percnt: is not a known key|"percent"'),
        (strategy("type = 'rolling', percent = 3"), "strategy.percent: is not a known key|known keys: alarms, bake"),
        (strategy("type = 'linear', percent = 3.55"), "strategy.percent: expected a multiple of 0.1, not 3.55"),
        (strategy("type = 'linear', percent = 2"), "strategy.percent: expected greater than or equal to 3, not 2"),
        (strategy("type = 'linear', percent = 3, interval = '2h'"), "strategy: bake time and intervals are 66.2 h"),
        (strategy("type = 'blue_green', test_port = 443"), "strategy.test_port: 443 is a port that users come in by"),
        (strategy("type = 'blue_green', test_from = ['1.2.3']"), "strategy.test_from.0: expected an IPv4 range"),
        (strategy("type = 'blue_green', breaker = { value = 0 }"), "strategy.breaker.value: expected greater than"),
        (
            strategy("type = 'rolling', early_success = { healthy_percent = 50 }"),
            "seatrial.toml:10: environments.p.strategy.early_success.healthy_percent: is below the 100 percent",
        ),
        ("[environments.p]\nstrategy = 'x'", "seatrial.toml:10: environments.p.strategy: expected a table, not 'x'"),
        (
            strategy("type = 'blue_green'") + "services.web.routes = ['/1', '/2', '/3', '/4', '/5', '/6']",
            "seatrial.toml:11: environments.p.services.web.routes: 6 patterns do not fit the one listener rule",
        ),
        (
            strategy("type = 'blue_green'") + "domain = 'a.example'\ncertificate = 'arn'\n"
            "services.web.routes = ['/1', '/2', '/3', '/4', '/5']",
            "a rule has 5 condition values, of which the domain is one, so 4 patterns",
        ),
        (
            strategy("type = 'blue_green'") + "[smoke.home]\npath = '/'",
            "seatrial.toml:10: environments.p.strategy.test_from: smoke.home needs the test port, which is closed",
        ),
        ("[environments.p]\n[smoke.a]\npath = '/'\nrun = ['x']", "smoke.a: needs exactly one of `path`, `command`"),
        ("[environments.p]\n[smoke.a]", "smoke.a: needs exactly one of `path`, `command` and `run`, not none"),
        ("[environments.p]\n[smoke.a]\nrun = ['x']\nstatus = 201", "smoke.a: `status` goes with `path` only"),
        (
            strategy("type = 'blue_green'") + "[smoke.a]\ncommand = ['x']\ntimeout = '10m'\nretries = 6",
            "seatrial.toml:11: smoke: the checks may take 4212 s together, which is more than 3600 s",
        ),
    ],
)  # fmt: skip
def test_a_strategy_that_cannot_be_names_file_line_and_key(addition: str, expected: str) -> None:
    message, _, hint = expected.partition("|")
    with pytest.raises(ConfigError) as caught:
        loads(MINIMAL + addition, "p")
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_strategy_without_traffic_to_move_is_refused() -> None:
    worker = '[app]\nname = "shop"\nsettings = "shop.settings"\n[services.x]\nrole = "worker"\ncommand = ["x"]\n'
    for text in ("type = 'canary'", "type = 'rolling', alarms = ['a']"):
        with pytest.raises(ConfigError, match="for web and websocket services only"):
            loads(worker + strategy(text), "p")


def test_the_strategies_of_ecs_with_its_own_defaults() -> None:
    assert loads(MINIMAL, "local").target.strategy == Rolling(type="rolling")
    canary = loads(MINIMAL + strategy("type = 'canary', percent = 10, bake = '5m'"), "p").target.strategy
    assert canary == Canary(type="canary", percent=10.0, interval=600, bake=300)
    assert canary.waits == 900
    linear = loads(MINIMAL + strategy("type = 'linear', percent = 11"), "p").target.strategy
    assert isinstance(linear, Linear)
    assert (linear.steps, linear.interval, linear.bake) == (9, 360, 900)


def test_the_schema_takes_each_strategy_and_no_mixture() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    base = {
        "app": {"name": "shop", "settings": "shop.settings"},
        "services": {"web": {"command": ["x"], "port": 80, "routes": ["/"]}},
    }
    for good in (
        {"type": "rolling", "early_success": {"healthy_percent": 100}},
        {"type": "canary", "percent": 2.5, "interval": "5m", "alarms": ["errors"], "breaker": {"type": "count"}},
    ):
        validator.validate({**base, "environments": {"p": {"strategy": good}}, "smoke": {"a": {"path": "/"}}})
    for bad in ({"type": "rolling", "percent": 3}, {"percent": 3}, {"type": "canary", "early_success": {}}):
        assert not validator.is_valid({**base, "environments": {"p": {"strategy": bad}}})
