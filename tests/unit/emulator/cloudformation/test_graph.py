"""The order of resources, and walking it with threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.graph import Reference, dependencies, order, references, reverse
from seatrial.emulator.cloudformation.walk import walk

Graph = dict[str, frozenset[str]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs without circles: a node only needs nodes before it; the names come in any order."""
    names = draw(st.permutations([f"N{number}" for number in range(draw(st.integers(1, 9)))]))
    needed = {}
    for position, name in enumerate(names):
        needed[name] = frozenset(draw(st.sets(st.sampled_from(names[:position])))) if position else frozenset()
    shuffled = draw(st.permutations(list(needed)))
    return {name: needed[name] for name in shuffled}


@given(graphs())
def test_everything_comes_once_and_after_what_it_needs(needed: Graph) -> None:
    found = order(needed)
    assert sorted(found) == sorted(needed)
    position = {name: number for number, name in enumerate(found)}
    assert all(position[other] < position[name] for name, others in needed.items() for other in others)


@given(graphs())
def test_the_reverse_turns_every_edge(needed: Graph) -> None:
    turned = reverse(needed)
    assert {(name, other) for name, others in needed.items() for other in others} == {
        (other, name) for name, others in turned.items() for other in others
    }


@settings(max_examples=25, deadline=None)
@given(graphs(), st.data())
def test_walking_visits_in_order_and_nothing_that_needs_a_failure(needed: Graph, data: st.DataObject) -> None:
    broken = data.draw(st.sets(st.sampled_from(sorted(needed)), max_size=2))
    seen: list[str] = []
    lock = threading.Lock()

    def visit(name: str) -> bool:
        with lock:
            assert needed[name] <= set(seen) - broken
            seen.append(name)
        return name not in broken

    failed = walk(needed, visit)
    assert set(failed) == broken & set(seen)
    if not broken:
        assert sorted(seen) == sorted(needed)


def test_independent_nodes_run_side_by_side() -> None:
    meeting = threading.Barrier(3, timeout=20)
    assert walk({name: frozenset() for name in "abc"}, lambda _: meeting.wait() >= 0) == []


def test_a_failure_halts_the_walk() -> None:
    halt = threading.Event()
    seen: list[str] = []

    def visit(name: str) -> bool:
        seen.append(name)
        return name != "a"

    assert walk({"a": frozenset(), "b": frozenset({"a"})}, visit, halt=halt) == ["a"]
    assert halt.is_set()
    assert seen == ["a"]


def test_an_exception_of_a_visit_is_raised_by_the_walk() -> None:
    def visit(_: str) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        walk({"a": frozenset()}, visit)


def test_a_circle_is_named_without_those_that_wait_for_it() -> None:
    needed = {"A": frozenset({"B"}), "B": frozenset({"A"}), "C": frozenset({"A"})}
    with pytest.raises(TemplateError) as refused:
        order(needed)
    assert str(refused.value) == "Circular dependency between resources: [A, B]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "A"}, [Reference("A")]),
        ({"Fn::GetAtt": ["A", "B.C"]}, [Reference("A", "B.C")]),
        (
            {"Fn::Sub": ["${A}${B.C}${given}${!D}", {"given": {"Ref": "E"}}]},
            [Reference("A"), Reference("B", "C"), Reference("E")],
        ),
        ({"x": [{"y": {"Ref": "A"}}]}, [Reference("A")]),
        ({"Fn::If": ["Yes", {"Ref": "A"}, {"Ref": "B"}]}, [Reference("A")]),
        ("text ${A}", []),
    ],
)
def test_references(value: Any, expected: list[Reference]) -> None:
    assert list(references(value, lambda name: name == "Yes")) == expected


def test_dependencies_leave_out_what_does_not_exist_here() -> None:
    resources: dict[str, dict[str, Any]] = {
        "A": {"Type": "T"},
        "B": {"Type": "T", "DependsOn": ["A", "Off"], "Properties": {"x": {"Ref": "Parameter"}}},
        "C": {"Type": "T", "Properties": {"x": {"Fn::If": ["No", {"Ref": "A"}, {"Fn::GetAtt": ["B", "Arn"]}]}}},
    }
    needed = dependencies(resources, lambda name: name == "Yes")
    assert needed == {"A": frozenset(), "B": frozenset({"A"}), "C": frozenset({"B"})}


def test_a_resource_that_needs_itself_is_a_circle() -> None:
    with pytest.raises(TemplateError, match=r"\[A\]"):
        dependencies({"A": {"Type": "T", "Properties": {"x": {"Ref": "A"}}}}, lambda _: True)
