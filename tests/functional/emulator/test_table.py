"""``docs/emulator.md`` and the tests agree: each test it names exists, and no behaviour that is tested is forgotten."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGE = ROOT / "docs" / "emulator.md"
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
#: The rooms whose every functional test is a behaviour of AWS.
ROOMS = ("ecs", "codedeploy", "lambda_functions", "loadbalancing", "cloudformation", "schedules", "edge")


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the names of the test functions in a file, without running it."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


def rows() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return behaviour and (file, test) pairs of every row that names a test."""
    return [
        (line.split(" | ")[0].removeprefix("| "), references)
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and (references := REFERENCE.findall(line))
    ]


def test_every_test_that_is_named_exists() -> None:
    named = {reference for _, references in rows() for reference in references}
    assert (
        sorted(f"{file}::{test}" for file, test in named if not (ROOT / file).exists() or test not in names_in(file))
        == []
    )


@pytest.mark.parametrize("room", ROOMS)
def test_no_behaviour_is_forgotten(room: str) -> None:
    files = [str(file.relative_to(ROOT)) for file in (HERE / room).glob("test_*.py")]
    there = {(file, test) for file in files for test in names_in(file)}
    assert there
    assert sorted(there - {reference for _, references in rows() for reference in references}) == []


def test_each_behaviour_is_listed_once() -> None:
    behaviours = [behaviour for behaviour, _ in rows()]
    assert sorted(behaviour for behaviour in set(behaviours) if behaviours.count(behaviour) > 1) == []
    references = [reference for _, named in rows() for reference in named]
    assert sorted(reference for reference in set(references) if references.count(reference) > 1) == []


def test_every_row_of_a_table_of_behaviours_names_a_test() -> None:
    within = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| behaviour "):
            within = True
        elif not line.startswith("|"):
            within = False
        elif within and not line.startswith("|--"):
            assert REFERENCE.search(line), line
