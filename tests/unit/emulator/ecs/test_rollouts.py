"""Deployments by stages with the scheduler, on a clock that the test owns and with tasks that come and go by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.emulator.ecs.model import Advanced, LoadBalancer
from tests.unit.emulator.ecs.support import GROUP, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHER = GROUP.replace("tg", "alternate")
COURSES: list[dict[str, Any]] = [
    {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5},
    {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 2}},
    {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 50.0, "stepBakeTimeInMinutes": 1}},
]


class Theatre(Stage):
    """A stage whose service stands between two target groups and has served once."""

    def __init__(self, desired: int, course: Mapping[str, Any]) -> None:
        super().__init__(desired=desired, balanced=False, configuration={"minimumHealthyPercent": 100})
        self.traffic.rules = {"production": {GROUP: 100, OTHER: 0}, "test": {GROUP: 100, OTHER: 0}}
        self.balancers = (LoadBalancer(GROUP, "app", 80, Advanced(OTHER, "production", "test", "role")),)
        self.service.configuration |= course
        self.deploy()
        self.calm()

    def calm(self, steps: int = 60) -> None:
        """Let time go by in which nothing bad happens."""
        for _ in range(steps):
            for task in self.alive:
                if task.stopping:
                    self.die(task)
                    continue
                if task.started is None:
                    self.run(task)
                self.tell(task, "healthy")
            self.step(30.0)

    def serving(self, group: str) -> int:
        """Healthy tasks in a target group."""
        return sum(t.healthy and not t.stopping and t.load_balancers[0].target_group == group for t in self.alive)


def test_the_two_groups_take_turns() -> None:
    theatre = Theatre(2, COURSES[0])
    turns = [dict(theatre.traffic.rules["production"])]
    for _ in range(3):
        theatre.deploy()
        theatre.calm()
        assert theatre.service.history[0].status == "SUCCESSFUL"
        turns.append(dict(theatre.traffic.rules["production"]))
    assert turns == [{OTHER: 100, GROUP: 0}, {GROUP: 100, OTHER: 0}] * 2


def test_a_desired_count_that_changes_on_the_way_is_followed_by_both_revisions() -> None:
    theatre = Theatre(2, {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1440})
    theatre.deploy()
    theatre.calm(20)
    theatre.service.desired = 3
    theatre.calm(20)
    assert (theatre.serving(GROUP), theatre.serving(OTHER)) == (3, 3)


def test_a_release_that_comes_while_traffic_is_being_moved_takes_it_back_first() -> None:
    theatre = Theatre(2, COURSES[0])
    shift, come = theatre.traffic.shift, [True]

    def interrupted(rule: str, weights: Mapping[str, int]) -> None:
        if rule == "production" and come:
            come.clear()
            theatre.deploy()
        shift(rule, weights)

    theatre.traffic.shift = interrupted  # type: ignore[method-assign]  # the moment that is looked at
    theatre.deploy()
    for _ in range(60):
        theatre.calm(1)
        for group, weight in theatre.traffic.rules["production"].items():
            assert weight == 0 or theatre.serving(group) > 0, "traffic is left where nobody is"
    assert [record.status for record in theatre.service.history[:2]] == ["SUCCESSFUL", "STOPPED"]


lucks = st.sampled_from(["run", "run", "run", "ill", "die", "deploy", "wait", "wait", "rollback", "abort", "alarm"])


@settings(max_examples=80, deadline=None)
@given(
    course=st.sampled_from(COURSES),
    desired=st.integers(1, 3),
    history=st.lists(st.tuples(lucks, st.integers(0, 30)), max_size=60),
)
def test_traffic_only_moves_to_tasks_that_can_take_it(
    course: Mapping[str, Any], desired: int, history: list[tuple[str, int]]
) -> None:
    theatre = Theatre(desired, course)
    theatre.around.states = {"errors": "OK"}
    theatre.service.configuration |= {"alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True}}
    theatre.deploy()
    for luck, number in history:
        record = theatre.service.current
        if luck in {"rollback", "abort"} and record is not None and record.status == "IN_PROGRESS":
            record.status = "ROLLBACK_REQUESTED" if luck == "rollback" else "STOP_REQUESTED"
        elif luck == "alarm":
            theatre.around.states["errors"] = "ALARM" if number % 2 else "OK"
        elif luck not in {"rollback", "abort"}:
            theatre.happen(luck, number)
        before = dict(theatre.traffic.rules["production"])
        theatre.step()
        after = theatre.traffic.rules["production"]
        for group in (GROUP, OTHER):
            if after[group] > before[group]:
                assert theatre.serving(group) > 0, "traffic to a target group with nobody in it"
    theatre.around.states["errors"] = "OK"
    theatre.calm()
    assert theatre.service.current is None, "it ends"
    theatre.deploy()
    theatre.calm()
    assert theatre.service.history[0].status == "SUCCESSFUL", "and the next release goes through"
    weights = theatre.traffic.rules["production"]
    assert sorted(weights.values()) == [0, 100]
    for group, weight in weights.items():
        assert theatre.serving(group) == (desired if weight else 0)
    assert theatre.traffic.rules["test"] == weights
