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


def test_a_scheduler_is_never_alive_twice() -> None:
    text = MINIMAL + '[services.beat]\nrole = "scheduler"\ncommand = ["celery"]\n'
    assert loads(text, "local").services["beat"].healthy_percents == (0, 100)


@pytest.mark.parametrize(
    ("addition", "environment", "expected"),
    [
        ("helth_check = '/'", "local", 'seatrial.toml:9: services.web.helth_check: is not a known key|"health_check"'),
        ("drain = '5 parsecs'", "local", 'seatrial.toml:9: services.web.drain: expected a duration such as "30s"'),
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
