from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.iac.cloudformation import files, text
from seatrial.iac.cloudformation.yaml import document
from seatrial.stack import graph
from tests.unit.stack.support import MATRIX, UNHURRIED, bundles, long_form, parsed

WORDS = st.text(max_size=30) | st.sampled_from(
    [
        "yes",
        "on",
        "null",
        "~",
        "1_000",
        "012",
        "1:30",
        "2012-10-17",
        "a: b",
        "a #b",
        "- x",
        "*x",
        "&x",
        "!x",
        "${A}",
        "",
    ]
)
NAMES = st.from_regex(r"[A-Z][A-Za-z0-9]{0,8}", fullmatch=True)
LEAVES = (
    WORDS
    | st.integers()
    | st.booleans()
    | st.builds(graph.Ref, NAMES)
    | st.builds(graph.GetAtt, NAMES, NAMES)
    | st.builds(graph.ImportValue, WORDS)
    | st.builds(graph.Sub, WORDS)
)


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES, inner, max_size=4)
        | st.builds(graph.Noted, inner, st.just("because it is so"))
        | st.builds(graph.If, NAMES, inner, inner)
        | st.builds(graph.Join, WORDS, st.lists(inner, max_size=3).map(tuple))
        | st.builds(graph.Split, WORDS, inner)
        | st.builds(graph.Sub, WORDS, st.dictionaries(NAMES, inner, min_size=1, max_size=2).map(_pairs))
    )  # fmt: skip


def _pairs(values: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(values.items())


@UNHURRIED
@given(st.dictionaries(NAMES, st.recursive(LEAVES, _grown, max_leaves=12), min_size=1, max_size=4))
def test_what_is_written_reads_back_as_what_was_meant(values: dict[str, Any]) -> None:
    written = document({"Resources": values}, header="a header")
    assert parsed(written)["Resources"] == long_form(values)


@pytest.mark.parametrize("name", MATRIX)
def test_every_template_reads_back_as_its_graph(name: str) -> None:
    for bundle in bundles(**MATRIX[name]):
        for template in bundle.templates:
            read = parsed(text(template, lambda nested: nested))
            assert read["Resources"].keys() == template.resources.keys()
            for logical_id, resource in template.resources.items():
                assert read["Resources"][logical_id].get("Properties", {}) == long_form(resource.properties)
                assert read["Resources"][logical_id].get("DependsOn", []) == list(resource.depends_on)
            assert {key: each["Value"] for key, each in read.get("Outputs", {}).items()} == {
                key: long_form(each.value) for key, each in template.outputs.items()
            }


def test_nested_templates_lie_beside_their_root() -> None:
    written = files(bundles(**MATRIX["everything"]))
    assert sorted(written) == [
        "app/app.yaml",
        "app/foundation.yaml",
        "app/services.yaml",
        "app/tasks.yaml",
        "base/base.yaml",
        "base/data.yaml",
        "base/ingress.yaml",
        "base/network.yaml",
        "base/registry.yaml",
    ]
    assert parsed(written["app/app.yaml"])["Resources"]["Services"]["Properties"]["TemplateURL"] == "./services.yaml"


def test_reasons_stand_above_their_values() -> None:
    lines = files(bundles(**MATRIX["everything"]))["base/data.yaml"].splitlines()
    at = lines.index("      TransitEncryptionMode: preferred")
    assert lines[at - 1].startswith("      # ")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (graph.Select(0, graph.GetAZs()), 'A: !Select [0, !GetAZs ""]'),
        (graph.Split(",", graph.ImportValue("shop-base-Subnets")), 'A: !Split [",", !ImportValue shop-base-Subnets]'),
        (graph.If("Yes", graph.NO_VALUE, 0), 'A: !If ["Yes", !Ref AWS::NoValue, 0]'),
        (graph.Not(graph.Equals(graph.Ref("X"), "")), 'A: !Not [!Equals [!Ref X, ""]]'),
        ("2012-10-17", 'A: "2012-10-17"'),
        ("on", 'A: "on"'),
        ("/*", "A: /*"),
        (True, "A: true"),
        ({}, "A: {}"),
        ([], "A: []"),
        ('{\n  "a": 1\n}\n', 'A: |\n    {\n      "a": 1\n    }'),
    ],
)
def test_written_as_people_do(value: Any, written: str) -> None:
    assert document({"Resources": {"A": value}}, header="x").split("Resources:\n")[1] == f"  {written}\n"


def test_the_same_bytes_in_every_interpreter() -> None:
    program = (
        "from tests.unit.stack.support import MATRIX, UNHURRIED, bundles\n"
        "from seatrial.iac.cloudformation import files\n"
        "print({name: files(bundles(**changes)) for name, changes in MATRIX.items()})"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[3],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 100_000
