"""``docs/pictures``: each strategy has its picture in the page, and it shows what a release of today goes through."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args
from xml.etree import ElementTree as ET

import pytest
from bench.pictures import PICTURES, STRATEGIES

from seatrial.config.load import load, loads
from seatrial.config.strategies import CodeDeploy, Strategy
from seatrial.emulator.codedeploy.lifecycle import EVENTS
from seatrial.emulator.ecs.lifecycle import Stage
from seatrial.emulator.ecs.strategy import course
from seatrial.release.plan import STAGES
from seatrial.stack.deployments import deployment

if TYPE_CHECKING:
    from seatrial.stack.model import Deployment

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "releases.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "stockweb" / "seatrial.toml"
#: The services whose traffic is shifted; each has its panel.
SHIFTED = [name for name, each in load(EXAMPLE, "local").services.items() if each.routed]
TOML = """
[app]
name = "shop"
settings = "shop.settings"
[services.web]
command = ["gunicorn", "shop.wsgi"]
port = 8000
routes = ["/*"]
[environments.local]
strategy = {}
"""
#: Stages in which something is done or waited for, so that whoever asks ECS now and then sees them. Where all traffic
#: moves at once, that takes no time.
LASTING = ["SCALE_UP", "POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"]
MOMENTARY = {"blue_green": "PRODUCTION_TRAFFIC_SHIFT"}
#: What of CodeDeploy's way takes time: without functions, and with smoke checks.
BY_CODEDEPLOY = ["Install", "READY_WAIT", "AllowTraffic", "TERMINATION_WAIT"]
SVG = "{http://www.w3.org/2000/svg}"


def drawn(strategy: str) -> str:
    return (PICTURES / f"{strategy}.svg").read_text(encoding="utf-8")


def titles(strategy: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(drawn(strategy)).iter(f"{SVG}title")]


def deployed(strategy: str) -> Deployment:
    """Return how a web service is deployed today by the strategy of the picture."""
    settings = loads(TOML.format(STRATEGIES[strategy]), "local")
    return deployment(settings, settings.services["web"])


def ways(found: list[str]) -> list[list[str]]:
    """Return the stages of each service: one ends where they begin again."""
    order: list[str] = list(get_args(Stage))
    units: list[list[str]] = []
    for stage in found:
        if not units or order.index(stage) <= order.index(units[-1][-1]):
            units.append([])
        units[-1].append(stage)
    return units


def shifting() -> list[str]:
    return [strategy for strategy in STRATEGIES if deployed(strategy).shifts]


def test_every_strategy_has_its_picture_and_no_other() -> None:
    types = {get_args(each.model_fields["type"].annotation)[0] for each in get_args(get_args(Strategy)[0])}
    assert set(STRATEGIES) == types
    assert {path.stem for path in PICTURES.glob("*.svg")} == types


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_page_shows_it_and_it_stands_alone(strategy: str) -> None:
    assert re.search(rf"!\[[^]]+\]\(pictures/{strategy}\.svg\)", PAGE)
    text = drawn(strategy)
    assert not re.search(r"<script|href=|url\(|@import|<image", text)
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_is_of_the_strategy_as_it_stands(strategy: str) -> None:
    described = ET.fromstring(drawn(strategy)).findtext(f"{SVG}desc") or ""
    assert described.startswith(f"strategy = {STRATEGIES[strategy]}; "), "run: make pictures"
    assert described.endswith(" requests, 0 failed")


@pytest.mark.parametrize("strategy", shifting())
def test_its_stages_are_those_of_a_deployment(strategy: str) -> None:
    found = [match[1] for each in titles(strategy) if (match := re.fullmatch(r"([A-Z_]+) [\d.]+ s", each))]
    lasting = [stage for stage in LASTING if stage != MOMENTARY.get(strategy)]
    units = ways(found)
    assert len(units) == len(SHIFTED)
    for way in units:
        assert [stage for stage in way if stage in lasting] == lasting
    assert all(f"| `{stage}` |" in PAGE for stage in LASTING)


@pytest.mark.parametrize("strategy", shifting())
def test_its_shares_are_those_of_the_strategy(strategy: str) -> None:
    found = [float(match[1]) for each in titles(strategy) if (match := re.match(r"([\d.]+) % from ", each))]
    how = deployed(strategy)
    pace = {"stepPercent": how.percent, "canaryPercent": how.percent}
    pace |= {"stepBakeTimeInMinutes": how.interval, "canaryBakeTimeInMinutes": how.interval}
    configuration = {"strategy": how.strategy, "linearConfiguration": pace, "canaryConfiguration": pace}
    assert tuple(found) == course(configuration, float).steps * len(SHIFTED)


def test_codedeploy_goes_through_its_events_and_waits() -> None:
    found = [match[1] for each in titles("codedeploy") if (match := re.fullmatch(r"(\w+) [\d.]+ s", each))]
    order = [*EVENTS[: EVENTS.index("BeforeAllowTraffic")], "READY_WAIT", *EVENTS[5:], "TERMINATION_WAIT"]
    for unit in range(len(SHIFTED)):
        mine = found[unit * len(BY_CODEDEPLOY) : (unit + 1) * len(BY_CODEDEPLOY)]
        assert mine == [each for each in order if each in BY_CODEDEPLOY]
    assert len(found) == len(SHIFTED) * len(BY_CODEDEPLOY)
    assert all(f"`{stage}`" in PAGE for stage in BY_CODEDEPLOY)
    strategy = loads(TOML.format(STRATEGIES["codedeploy"]), "local").target.strategy
    assert isinstance(strategy, CodeDeploy)
    shares = {float(match[1]) for each in titles("codedeploy") if (match := re.match(r"([\d.]+) % from ", each))}
    assert shares == {strategy.shift[1], 100}


def test_a_rolling_release_rolls_the_services_in_their_order() -> None:
    rolls = [match[1] for each in titles("rolling") if (match := re.match(r"roll out ([^:]+): ", each))]
    found = [name for roll in rolls for name in re.split(r", | and ", roll)]
    services = load(EXAMPLE, "local").services
    assert found == [name for roles in STAGES for name, service in services.items() if service.role in roles]
    gate = next(number for number, each in enumerate(titles("rolling")) if each.startswith("run migrate"))
    assert gate < next(number for number, each in enumerate(titles("rolling")) if each.startswith("roll out"))
