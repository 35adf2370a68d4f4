"""As which environment a rehearsal releases, what of its time is left out, and what stands in for AWS's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.config.load import loads
from seatrial.rehearsal.manner import manner, on_this_machine, scale_for

if TYPE_CHECKING:
    from seatrial.config.models import Settings

TOML = """
[app]
name = "shop"
settings = "shop.settings"
[services.web]
command = ["gunicorn", "shop.wsgi"]
port = 8000
routes = ["/*"]
[secrets]
MADE = {{ generate = 50 }}
KEPT = {{ from = "arn:aws:ssm:eu-west-1:123456789012:parameter/kept" }}
[environments.production]
domain = "shop.example"
account = "210987654321"
certificate = "arn:aws:acm:eu-west-1:210987654321:certificate/0"
strategy = {{ {strategy} }}
"""


def settings(strategy: str) -> Settings:
    return loads(TOML.format(strategy=strategy), "production")


@pytest.mark.parametrize(
    ("strategy", "sentence", "compressed"),
    [
        ('type = "rolling"', "as production: rolling", ""),
        ('type = "rolling", bake = "2m"', "as production: rolling", "the bake time of 2 min took 6 s"),
        ('type = "blue_green", bake = "0m"', "as production: blue_green", ""),
        (
            'type = "canary", percent = 20, interval = "2m", bake = "90m"',
            "as production: canary (20 % of the requests for 2 min, then all)",
            "the interval of 2 min took 6 s, the bake time of 90 min took 270 s",
        ),
        (
            'type = "linear", percent = 25, interval = "1m", bake = "1h"',
            "as production: linear (25 % more of the requests every 1 min)",
            "the interval of 1 min took 3 s, the bake time of 1 h took 3 min",
        ),
    ],
)
def test_how_it_is_released_is_said_with_what_the_time_scale_made_of_its_waits(
    strategy: str, sentence: str, compressed: str
) -> None:
    found = manner(settings(strategy))
    assert found.sentence == sentence
    assert found.compressed(0.05) == compressed
    assert found.compressed(1) == ""


def test_another_environments_strategy_is_told_by_its_name() -> None:
    assert manner(settings('type = "blue_green"'), "live").sentence == "as live: blue_green"


@pytest.mark.parametrize(
    ("strategy", "scale"),
    [
        ('type = "rolling"', 0.05),
        ('type = "blue_green", bake = "10m"', 0.05),  # 30 s
        ('type = "blue_green"', 0.033),  # 15 min in 30 s
        ('type = "canary"', 0.02),  # 25 min
        ('type = "linear"', 0.02),  # nine intervals of 6 min, and 15 min
    ],
)
def test_a_strategy_that_waits_long_is_rehearsed_at_a_smaller_scale(strategy: str, scale: float) -> None:
    assert scale_for(settings(strategy)) == scale


def test_what_only_aws_has_is_stood_in_for_and_named() -> None:
    given = settings('type = "blue_green", alarms = ["errors"]')
    here, said = on_this_machine(given)
    assert (here.target.cloud, here.target.certificate, here.target.account) == ("emulator", None, None)
    assert (here.target.domain, here.target.strategy) == ("shop.example", given.target.strategy)
    assert [(name, each.generate, each.value_from) for name, each in here.secrets.items()] == [
        ("MADE", 50, None),
        ("KEPT", 32, None),
    ]
    assert said == [
        "shop.example has a certificate of the emulator's own",
        "KEPT: the value means nothing, the real one is in AWS",
        "nothing sets off the alarms errors",
    ]


def test_a_site_answers_at_an_address_of_this_machine() -> None:
    site = """
[site]
source = "frontend"
build = "npm run build"
domain = "www.shop.example"
certificate = "arn:aws:acm:us-east-1:210987654321:certificate/1"
"""
    given = loads(TOML.format(strategy='type = "rolling"') + site, "production")
    here, said = on_this_machine(given)
    assert here.site is not None
    assert (here.site.source, here.site.domain, here.site.certificate) == ("frontend", None, None)
    assert "www.shop.example is served at an address of this machine, without TLS" in said


def test_an_environment_on_an_emulator_is_left_as_it_is() -> None:
    text = TOML.format(strategy='type = "rolling"').replace("KEPT", "# KEPT")
    assert on_this_machine(loads(text, "local")) == (loads(text, "local"), [])
