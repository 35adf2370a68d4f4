"""The strategy codedeploy and the hooks: what is refused, and what the defaults come to."""

from __future__ import annotations

import pytest

from seatrial.config.hooks import stages
from seatrial.config.load import loads
from seatrial.config.strategies import CodeDeploy
from seatrial.errors import ConfigError

BASE = """[app]
name = "shop"
settings = "shop.settings"
[services.web]
command = ["x"]
port = 8000
routes = ["/*"]
[tasks.migrate]
command = ["x"]
gate = true
"""
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:warm"


def strategy(text: str = "") -> str:
    return f"[environments.p]\nstrategy = {{ type = 'codedeploy'{', ' if text else ''}{text} }}\n"


def hook(*at: str, name: str = "warm", function: str = FUNCTION) -> str:
    return f"[hooks.{name}]\nfunction = '{function}'\nstages = {list(at)!r}\n"


def read(text: str) -> CodeDeploy:
    found = loads(BASE + strategy(text), "p").target.strategy
    assert isinstance(found, CodeDeploy)
    return found


@pytest.mark.parametrize(
    ("text", "shift", "predefined", "waits"),
    [
        ("", ("all_at_once", 100, 0), "CodeDeployDefault.ECSAllAtOnce", 900),
        ("traffic = 'canary'", ("canary", 10, 300), "CodeDeployDefault.ECSCanary10Percent5Minutes", 1200),
        ("traffic = 'canary', percent = 20, wait = 0", ("canary", 20, 300), None, 300),
        ("traffic = 'linear', wait = 0", ("linear", 10, 60), "CodeDeployDefault.ECSLinear10PercentEvery1Minutes", 540),
        ("traffic = 'linear', percent = 30, interval = '2m', wait = 0", ("linear", 30, 120), None, 360),
        (
            "configuration = 'CodeDeployDefault.ECSCanary10Percent15Minutes'",
            ("canary", 10, 900),
            "CodeDeployDefault.ECSCanary10Percent15Minutes",
            1800,
        ),
    ],
)
def test_how_traffic_moves_and_for_how_long(
    text: str, shift: tuple[str, int, int], predefined: str | None, waits: int
) -> None:
    found = read(text)
    assert (found.shift, found.predefined, found.waits) == (shift, predefined, waits)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (strategy("configuration = 'Mine'"), "strategy.configuration: expected one of CodeDeployDefault.ECSAllAtOnce"),
        (
            strategy("configuration = 'CodeDeployDefault.ECSAllAtOnce', percent = 3"),
            "strategy.percent: goes without `configuration`",
        ),
        (strategy("percent = 3"), 'seatrial.toml:12: environments.p.strategy.percent: goes with traffic = "canary"'),
        (strategy("traffic = 'canary', percent = 100"), "strategy.percent: expected less than or equal to 99"),
        (strategy("traffic = 'canary', interval = 0"), "strategy.interval: expected at least a minute"),
        (strategy("traffic = 'linear', percent = 1, interval = '1h'"), "strategy.interval: the last shift would come"),
        (strategy("wait = '49h'"), "strategy.wait: expected less than or equal to 172800"),
        (strategy("test_from = ['10.0.0.0/8']"), "strategy.test_from: goes with `test_port`"),
        (strategy(f"alarms = {[str(n) for n in range(11)]}"), "strategy.alarms: a deployment group has at most 10"),
        (strategy() + "[smoke.home]\npath = '/'", "strategy.test_port: smoke.home needs a test port"),
        (
            strategy("test_port = 9443") + "[smoke.home]\npath = '/'",
            "strategy.test_from: smoke.home needs the test port, which is closed",
        ),
        (
            strategy("gates = 'hook'") + "[tasks.seed]\ncommand = ['x']\ngate = true\ntimeout = '1h'",
            "strategy.gates: the gate tasks may take 4500 s together",
        ),
        (
            strategy("gates = 'hook'") + hook("BeforeInstall"),
            "seatrial.toml:15: hooks.warm.stages: CodeDeploy asks one function at BeforeInstall, which has the gate",
        ),
        (
            strategy() + hook("AfterInstall") + hook("AfterInstall", name="other"),
            "hooks.other.stages: CodeDeploy asks one function at AfterInstall, which has hooks.warm",
        ),
        (strategy() + hook("AfterAllowTestTraffic"), "hooks.warm.stages: AfterAllowTestTraffic is there only where"),
        (strategy() + hook("AfterLunch"), "hooks.warm.stages.0: expected"),
        (strategy() + hook(), "hooks.warm.stages: names no stage"),
        (strategy() + hook("AfterInstall", function="warm"), "hooks.warm.function: expected text that matches ^arn"),
    ],
)
def test_what_is_refused_names_file_line_and_key(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(BASE + text, "p")
    assert expected in caught.value.message, caught.value.message


def test_gates_in_a_hook_need_gate_tasks() -> None:
    with pytest.raises(ConfigError, match="there is no task with gate = true that a hook could run"):
        loads(BASE.replace("gate = true", "") + strategy("gates = 'hook'"), "p")


def test_a_command_is_checked_without_a_test_port() -> None:
    found = loads(BASE + strategy() + "[smoke.check]\ncommand = ['x']", "p")
    assert found.smoke["check"].command == ("x",)


def test_each_strategy_has_its_own_stages() -> None:
    text = (
        BASE + strategy() + "[environments.q]\nstrategy.type = 'blue_green'\n" + hook("AfterInstall", "POST_SCALE_UP")
    )
    for environment, expected in (("p", ("AfterInstall",)), ("q", ("POST_SCALE_UP",)), ("local", ())):
        found = loads(text, environment)
        assert stages(found.hooks["warm"], found.target.strategy) == expected
