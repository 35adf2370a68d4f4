"""The next task definition: only the image changes, everything else passes through."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.aws.ecs import TaskDefinition
from seatrial.errors import UsageError
from seatrial.release.revisions import READ_ONLY, log_place, next_document, own_tags, roles, same, version_of, writable
from tests.unit.release.support import NEW, OLD, document, model_of, settings_of

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-production-web:4"


def definition(**more: Any) -> TaskDefinition:
    answer = document(settings_of(), "web", OLD, "old") | {"taskDefinitionArn": ARN, "status": "ACTIVE"} | more
    return TaskDefinition(ARN, answer, ({"key": "aws:stack", "value": "x"}, {"key": "team", "value": "y"}))


def test_read_only_fields_are_those_by_which_botocores_shapes_differ() -> None:
    described = set(model_of("ecs").shape_for("TaskDefinition").members)
    registered = set(model_of("ecs").shape_for("RegisterTaskDefinitionRequest").members)
    assert described - registered == READ_ONLY


VALUES = (
    st.integers()
    | st.text(max_size=5)
    | st.lists(st.dictionaries(st.text(max_size=5), st.integers(), max_size=2), max_size=2)
)


@settings(max_examples=40)
@given(st.dictionaries(st.from_regex(r"new[A-Z][a-z]{0,5}", fullmatch=True), VALUES, max_size=4))
def test_unknown_fields_pass_through_untouched(more: dict[str, Any]) -> None:
    base = definition(**more)
    before = copy.deepcopy(dict(base.document))
    made = next_document(base, "web", f"repo@{NEW}", "new")
    assert {key: made[key] for key in more} == more
    assert base.document == before


def test_sidecars_keep_their_image() -> None:
    own = definition().document["containerDefinitions"]
    made = next_document(
        definition(containerDefinitions=[{"name": "proxy", "image": "envoy:1"}, *own]), "web", "repo@sha256:1", "new"
    )
    assert [each["image"] for each in made["containerDefinitions"]] == ["envoy:1", "repo@sha256:1"]


def test_a_definition_without_the_units_container_is_refused() -> None:
    with pytest.raises(UsageError, match=r"has no container called shop \(it has web\)"):
        next_document(definition(), "shop", "x", "y")


def test_the_version_is_written_once() -> None:
    made = next_document(definition(), "web", "x", "new")
    again = next_document(TaskDefinition(ARN, made, ()), "web", "x", "newer")
    assert version_of(TaskDefinition(ARN, again, ()), "web") == "newer"
    assert [v["name"] for v in again["containerDefinitions"][0]["environment"]].count("SEATRIAL_VERSION") == 1


def test_the_order_of_variables_and_empty_lists_make_no_difference() -> None:
    one = definition().document
    other = copy.deepcopy(dict(one)) | {"volumes": [], "revision": 9, "placementConstraints": []}
    other["containerDefinitions"][0]["environment"].reverse()
    other["containerDefinitions"][0]["mountPoints"] = []
    assert same(one, other)
    other["containerDefinitions"][0]["image"] = "else"
    assert not same(one, other)


def test_the_order_of_a_command_does() -> None:
    one, other = ({"containerDefinitions": [{"name": "web", "command": words}]} for words in (["a", "b"], ["b", "a"]))
    assert not same(one, other)


def test_where_a_task_logs() -> None:
    assert log_place(definition().document, "web", "abc") == ("/shop/production/web", "ecs/web/abc")
    assert log_place({"containerDefinitions": [{"name": "web"}]}, "web", "abc") is None


def test_only_own_tags_and_roles() -> None:
    assert [tag["key"] for tag in own_tags(definition())] == ["team"]
    assert [role.rpartition("/")[2] for role in roles(definition().document)] == ["execution", "task"]
    assert "status" not in writable(definition().document)
