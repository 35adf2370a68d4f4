"""The scheduler's decision, driven as a simulation in which tasks get healthy, fail and die by drawn luck."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.emulator.ecs.schedule import Decision, TaskView, Wanted, decide


def running(name: str, *, current: bool = True, healthy: bool = True, failed: bool = False, order: int = 0) -> TaskView:
    return TaskView(name, current, "running", healthy=healthy, failed=failed, order=order)


OLD = (running("a", current=False, order=1), running("b", current=False, order=2))


@pytest.mark.parametrize(
    ("wanted", "tasks", "expected"),
    [
        pytest.param(Wanted(2, 100, 200), (), Decision(start=2), id="fresh service"),
        pytest.param(Wanted(2, 100, 200), OLD, Decision(start=2), id="new ones before the old ones go"),
        pytest.param(
            Wanted(2, 100, 200),
            (*OLD, running("c", order=3), TaskView("d", current=True, phase="starting", order=4)),
            Decision(stop=("a",)),
            id="one old task for one healthy new one",
        ),
        pytest.param(Wanted(4, 50, 100), tuple(replace(OLD[0], id=i, order=n) for n, i in enumerate("abcd")),
                     Decision(stop=("a", "b")), id="50/100 makes room first"),
        pytest.param(Wanted(1, 0, 100), OLD[:1], Decision(stop=("a",)), id="0/100 stops first"),
        pytest.param(Wanted(1, 0, 100), (replace(OLD[0], phase="stopping", healthy=False),), Decision(),
                     id="0/100 waits for a stopping task"),
        pytest.param(Wanted(1, 0, 200), OLD[:1], Decision(start=1, stop=("a",)), id="0/200 does both at once"),
        pytest.param(Wanted(3, 100, 110), tuple(replace(OLD[0], id=i) for i in "abc"), Decision(stuck=True),
                     id="percentages that allow no step"),
        pytest.param(Wanted(1, 100, 200), (running("a", healthy=False, failed=True),), Decision(start=1, replacing=1),
                     id="unhealthy: its replacement starts first"),
        pytest.param(Wanted(1, 100, 200), (running("a", healthy=False, failed=True), running("b", order=1)),
                     Decision(replace=("a",)), id="unhealthy: stopped once the replacement is healthy"),
        pytest.param(Wanted(1, 100, 100), (running("a", healthy=False, failed=True),), Decision(replace=("a",)),
                     id="unhealthy: stopped first where there is no room"),
        pytest.param(Wanted(1, 100, 200), (OLD[0], running("n", healthy=False, failed=True, order=2)),
                     Decision(replace=("n",)), id="an unhealthy new task makes room for the next"),
        pytest.param(Wanted(1, 100, 200, may_start=False), (running("a", healthy=False, failed=True),), Decision(),
                     id="back-off keeps the unhealthy task meanwhile"),
        pytest.param(Wanted(2, 100, 200, frozen=True), (OLD[0], running("n", healthy=False, failed=True)),
                     Decision(replace=("n",)), id="a failed deployment starts nothing and keeps the old"),
        pytest.param(Wanted(1, 100, 200), (running("a", order=1), running("b", order=2)), Decision(stop=("b",)),
                     id="scale in: the newest goes"),
        pytest.param(Wanted(0, 100, 200), OLD, Decision(stop=("a", "b")), id="scale to nothing"),
        pytest.param(Wanted(1, 100, 200), (TaskView("s", current=False, phase="starting"), OLD[0]),
                     Decision(stop=("s",)), id="a superseded task that never served goes at once"),
    ],
)  # fmt: skip
def test_decision(wanted: Wanted, tasks: tuple[TaskView, ...], expected: Decision) -> None:
    assert decide(wanted, tasks) == expected


def test_percentages_round_as_aws_says() -> None:
    assert Wanted(3, 50, 150).minimum == 2
    assert Wanted(3, 50, 150).maximum == 4


@dataclass
class Simulation:
    """A service whose tasks change by drawn luck; checks the bounds at every decision."""

    wanted: Wanted
    tasks: tuple[TaskView, ...]
    count: int = 0

    def step(self) -> Decision:
        before = sum(t.healthy for t in self.tasks if t.phase != "stopping")
        decision = decide(self.wanted, self.tasks)
        going = {*decision.stop, *decision.replace}
        assert len(going) == len(decision.stop) + len(decision.replace), "told to stop once"
        assert going <= {t.id for t in self.tasks if t.phase != "stopping"}
        after = sum(t.healthy for t in self.tasks if t.phase != "stopping" and t.id not in going)
        assert after >= min(before, self.wanted.minimum), "never below the minimum by its own doing"
        assert decision.start == 0 or len(self.tasks) + decision.start <= self.wanted.maximum, "never above the maximum"
        self.tasks = tuple(replace(t, phase="stopping", healthy=False) if t.id in going else t for t in self.tasks)
        for _ in range(decision.start):
            self.count += 1
            self.tasks += (TaskView(f"n{self.count}", current=True, phase="starting", order=1000 + self.count),)
        return decision

    def happen(self, luck: str, index: int) -> None:
        """One task runs, becomes healthy, fails, dies or finishes stopping."""
        if not self.tasks:
            return
        task = self.tasks[index % len(self.tasks)]
        rest = tuple(t for t in self.tasks if t is not task)
        moved: tuple[TaskView, ...]
        if luck == "die" or task.phase == "stopping":
            moved = ()
        elif task.phase == "starting":
            moved = (replace(task, phase="running"),)
        elif luck == "fail":
            moved = (replace(task, healthy=False, failed=True),)
        else:
            moved = (replace(task, healthy=True, failed=False),)
        self.tasks = (*rest, *moved)

    def supersede(self) -> None:
        """A new deployment begins."""
        self.tasks = tuple(replace(t, current=False) for t in self.tasks)

    def settle(self) -> None:
        """Everything that starts becomes healthy, everything that stops ends."""
        self.tasks = tuple(
            replace(t, phase="running", healthy=True, failed=False) for t in self.tasks if t.phase != "stopping"
        )


percentages = st.sampled_from([(100, 200), (0, 100), (50, 100), (50, 200), (100, 150), (0, 200), (75, 125), (100, 100)])
chances = st.tuples(
    st.sampled_from(["go", "go", "go", "fail", "die", "supersede", "scale", "backoff"]), st.integers(0, 40)
)


@settings(max_examples=300, deadline=None)
@given(percentages, st.integers(0, 8), st.lists(chances, max_size=60))
def test_bounds_hold_and_it_always_converges(
    percent: tuple[int, int], desired: int, history: list[tuple[str, int]]
) -> None:
    simulation = Simulation(Wanted(desired, *percent), ())
    for luck, number in history:
        if luck == "supersede":
            simulation.supersede()
        elif luck == "scale":
            simulation.wanted = replace(simulation.wanted, desired=number % 9)
        elif luck == "backoff":
            simulation.wanted = replace(simulation.wanted, may_start=not simulation.wanted.may_start)
        else:
            simulation.happen(luck, number)
        simulation.step()

    simulation.wanted = replace(simulation.wanted, may_start=True)
    goal = simulation.wanted.desired
    stuck = False
    for _ in range(60):
        simulation.settle()
        stuck = simulation.step().stuck
    if simulation.wanted.minimum < simulation.wanted.maximum or goal == 0:
        assert [t.current for t in simulation.tasks] == [True] * goal
        assert simulation.step() == Decision()
    else:
        # Where the percentages round to the same number a replacement is impossible, and ECS says so.
        assert stuck or [t.current for t in simulation.tasks] == [True] * goal


@settings(max_examples=200, deadline=None)
@given(st.lists(chances, max_size=80))
def test_a_service_at_0_100_never_has_two_tasks_alive(history: list[tuple[str, int]]) -> None:
    simulation = Simulation(Wanted(1, 0, 100), ())
    for luck, number in history:
        if luck == "supersede":
            simulation.supersede()
        elif luck != "scale":
            simulation.happen(luck, number)
        simulation.step()
        assert len(simulation.tasks) <= 1
