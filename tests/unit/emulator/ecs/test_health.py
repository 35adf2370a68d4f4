from __future__ import annotations

import pytest

from seatrial.emulator.ecs.definitions import parse_container
from seatrial.emulator.ecs.health import ContainerHealth, Verdict, judge
from seatrial.emulator.loadbalancing import TargetHealth

UP, DOWN, NEW = TargetHealth("healthy"), TargetHealth("unhealthy"), TargetHealth("initial")


def test_a_container_is_unhealthy_after_retries_failures_in_a_row() -> None:
    health = ContainerHealth().after(ok=True, retries=2, starting=False).after(ok=False, retries=2, starting=False)
    assert health.health == "HEALTHY"
    assert health.after(ok=False, retries=2, starting=False).health == "UNHEALTHY"
    assert health.after(ok=True, retries=2, starting=False).failures == 0


def test_failures_in_the_start_period_do_not_count_until_a_first_success() -> None:
    health = ContainerHealth()
    for _ in range(9):
        health = health.after(ok=False, retries=1, starting=True)
    assert health == ContainerHealth("UNKNOWN")
    assert (
        health.after(ok=True, retries=1, starting=True).after(ok=False, retries=1, starting=True).health == "UNHEALTHY"
    )


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        (
            ["CMD-SHELL", "curl -f http://localhost/ || exit 1"],
            ("/bin/sh", "-c", "curl -f http://localhost/ || exit 1"),
        ),
        (["CMD", "python", "check.py"], ("python", "check.py")),
    ],
)
def test_health_check_command(command: list[str], argv: tuple[str, ...]) -> None:
    check = parse_container({"name": "a", "image": "b", "healthCheck": {"command": command}}).health_check
    assert check is not None
    assert check.argv == argv
    assert (check.interval, check.timeout, check.retries, check.start_period) == (30, 5, 3, 0)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        pytest.param({"running_for": 39.0}, Verdict(healthy=False, failed=False), id="unchecked: not before 40 s"),
        pytest.param({"running_for": 40.0}, Verdict(healthy=True, failed=False), id="unchecked: after 40 s"),
        pytest.param({"checked": True}, Verdict(healthy=False, failed=False), id="container check not answered yet"),
        pytest.param({"checked": True, "container": "HEALTHY"}, Verdict(healthy=True, failed=False), id="fine"),
        pytest.param({"targets": [NEW]}, Verdict(healthy=False, failed=False), id="target initial"),
        pytest.param({"targets": [UP]}, Verdict(healthy=True, failed=False), id="target healthy"),
        pytest.param({"targets": [UP, DOWN]}, Verdict(healthy=False, failed=True), id="one of two targets unhealthy"),
        pytest.param({"targets": [DOWN], "grace": 60.0, "running_for": 59.0}, Verdict(healthy=False, failed=False),
                     id="grace period ignores the target"),
        pytest.param({"checked": True, "container": "UNHEALTHY", "grace": 60.0}, Verdict(healthy=False, failed=False),
                     id="grace period ignores the container check"),
        pytest.param({"targets": [DOWN], "grace": 60.0, "running_for": 60.0}, Verdict(healthy=False, failed=True),
                     id="grace period over"),
        pytest.param({"checked": True, "container": "HEALTHY", "targets": [NEW]}, Verdict(healthy=False, failed=False),
                     id="both must agree"),
        pytest.param({"targets": [TargetHealth("unused")]}, Verdict(healthy=True, failed=False), id="unused"),
    ],
)  # fmt: skip
def test_judgement(facts: dict[str, object], verdict: Verdict) -> None:
    known = {
        "checked": False,
        "container": "UNKNOWN",
        "targets": [],
        "running_for": 1.0,
        "grace": 0.0,
        "unchecked_wait": 40.0,
    }
    assert judge(**{**known, **facts}) == verdict  # type: ignore[arg-type]
