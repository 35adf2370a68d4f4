"""The template language: every intrinsic function, and what unknown values make of them."""

from __future__ import annotations

import base64
import ipaddress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.intrinsics import Unknown, cidr, resolve, substitute, text, unknowns, variables

if TYPE_CHECKING:
    from collections.abc import Mapping

MAPS = {"Sizes": {"eu-west-1": {"cpu": 256, "zones": ["a", "b"]}}}


class Names:
    """A scope of fixed names; ``Later`` is a resource that is about to be replaced."""

    def ref(self, name: str) -> Any:
        if name == "Later":
            return Unknown(("Later",))
        return {"AWS::Region": "eu-west-1", "Name": "box", "List": ["a", "b"], "Flag": True}[name]

    def get_att(self, name: str, attribute: str) -> Any:
        return Unknown((f"{name}.{attribute}",)) if name == "Later" else f"{name}/{attribute}"

    def condition(self, name: str) -> bool:
        return name == "Yes"

    def mapping(self, name: str) -> Mapping[str, Mapping[str, Any]] | None:
        return MAPS.get(name)

    def import_value(self, name: str) -> Any:
        return f"imported {name}"

    def zones(self, region: str) -> list[str]:
        return [f"{region}a", f"{region}b"]


def value(template: Any) -> Any:
    return resolve(template, Names())


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ({"Ref": "Name"}, "box"),
        ({"Fn::GetAtt": ["Db", "Endpoint.Address"]}, "Db/Endpoint.Address"),
        ({"Fn::GetAtt": "Db.Endpoint.Address"}, "Db/Endpoint.Address"),
        ({"Fn::Sub": "${Name}-${Db.Arn}-${!Literal}"}, "box-Db/Arn-${Literal}"),
        ({"Fn::Sub": ["${a}-${Name}", {"a": {"Ref": "AWS::Region"}}]}, "eu-west-1-box"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Name"}, 3, True]]}, "a-box-3-true"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Split": ["|", "a|b|"]}, ["a", "b", ""]),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "b"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "eu-west-1a"),
        ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, ["eu-west-1a", "eu-west-1b"]),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "cpu"]}, 256),
        ({"Fn::FindInMap": ["Sizes", "mars", "cpu", {"DefaultValue": "none"}]}, "none"),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::Cidr": ["10.0.0.0/24", "2"]}, None),
        ({"Fn::Base64": "häuser"}, base64.b64encode("häuser".encode()).decode()),
        ({"Fn::ImportValue": {"Fn::Sub": "${Name}-url"}}, "imported box-url"),
        ({"Fn::If": ["Yes", 1, {"Ref": "Missing"}]}, 1),
        ({"Fn::If": ["No", {"Ref": "Missing"}, 2]}, 2),
        ({"Fn::Equals": ["1", 1]}, True),
        ({"Fn::And": [{"Condition": "Yes"}, {"Fn::Not": [{"Condition": "No"}]}]}, True),
        ({"Fn::Or": [{"Condition": "No"}, {"Fn::Equals": ["a", "b"]}]}, False),
        ({"Fn::Length": {"Ref": "List"}}, 2),
        ({"Fn::ToJsonString": {"a": {"Ref": "Name"}}}, '{"a":"box"}'),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        (
            {"Statement": {"Condition": {"StringEquals": {"a": {"Ref": "Name"}}}}},
            {"Statement": {"Condition": {"StringEquals": {"a": "box"}}}},
        ),
        ("{{resolve:ssm:/a}}", "{{resolve:ssm:/a}}"),
    ],
)
def test_functions(template: Any, expected: Any) -> None:
    if expected is None:
        with pytest.raises(TemplateError, match="no room"):
            value(template)
    else:
        assert value(template) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"Fn::Select": [2, ["a", "b"]]}, "Template error: Fn::Select  cannot select nonexistent value at index 2"),
        ({"Fn::FindInMap": ["Sizes", "mars", "cpu"]}, "Template error: Unable to get mapping for Sizes::mars::cpu"),
        ({"Fn::Join": ["-", "text"]}, "every Fn::Join object requires two parameters"),
        ({"Fn::Sub": "${a b}"}, "variable names in Fn::Sub syntax must contain only alphanumeric characters"),
        ({"Fn::Sub": "${List}"}, "does not resolve to a string"),
        ({"Fn::If": ["Yes", 1]}, "every Fn::If object requires three parameters"),
        ({"Fn::GetAtt": ["Db"]}, "Fn::GetAtt object requires two non-empty parameters"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "Transform AWS::Include is not run by the emulator"),
        ({"Fn::Nonsense": 1}, "Fn::Nonsense is not known"),
    ],
)
def test_mistakes_are_told(template: Any, message: str) -> None:
    with pytest.raises(TemplateError) as refused:
        value(template)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "template",
    [
        {"Fn::Sub": "x-${Later}-${Name}"},
        {"Fn::Join": ["-", ["a", {"Ref": "Later"}]]},
        {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "Later"}]}]},
        {"Fn::Cidr": [{"Ref": "Later"}, 1, 8]},
        {"Fn::ImportValue": {"Ref": "Later"}},
        {"Fn::Base64": {"Fn::Sub": "${Later}"}},
    ],
)
def test_what_is_built_from_an_unknown_value_is_unknown_and_says_why(template: Any) -> None:
    assert value(template) == Unknown(("Later",))


def test_a_known_item_is_selected_beside_an_unknown_one() -> None:
    assert value({"Fn::Select": [1, [{"Ref": "Later"}, "known"]]}) == "known"


def test_unknown_causes_are_found_deep_inside_and_once() -> None:
    found = value({"a": [{"Fn::GetAtt": ["Later", "Arn"]}, {"Fn::Sub": "${Later.Arn}"}], "b": {"Ref": "Later"}})
    assert unknowns(found) == ("Later.Arn", "Later")


@given(
    prefix=st.integers(min_value=8, max_value=28),
    address=st.integers(min_value=0, max_value=2**32 - 1),
    bits=st.integers(min_value=1, max_value=16),
    count=st.integers(min_value=1, max_value=256),
)
def test_cidr_gives_the_first_subnets_as_ipaddress_does(prefix: int, address: int, bits: int, count: int) -> None:
    block = ipaddress.ip_network((address, prefix), strict=False)
    if 32 - bits < prefix or count > 2 ** (32 - bits - prefix):
        with pytest.raises(TemplateError):
            cidr(str(block), count, bits)
        return
    subnets = block.subnets(new_prefix=32 - bits)
    assert cidr(str(block), count, bits) == [str(next(subnets)) for _ in range(count)]


def test_cidr_of_an_ipv6_block() -> None:
    assert cidr("2001:db8::/56", 2, 64) == ["2001:db8::/64", "2001:db8:0:1::/64"]


NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9.]{0,8}", fullmatch=True)
LITERAL = st.text(alphabet=st.characters(blacklist_characters="${}", blacklist_categories=["Cs"]), max_size=8)
PIECE = st.one_of(
    st.tuples(st.just("text"), LITERAL), st.tuples(st.just("name"), NAME), st.tuples(st.just("kept"), NAME)
)


@given(st.lists(PIECE, max_size=8))
def test_sub_replaces_names_keeps_literals_and_unescapes(pieces: list[tuple[str, str]]) -> None:
    wrap = {"text": "{}", "name": "${{{}}}", "kept": "${{!{}}}"}
    template = "".join(wrap[kind].format(content) for kind, content in pieces)
    done = {"text": "{}", "name": "<{}>", "kept": "${{{}}}"}
    expected = "".join(done[kind].format(content) for kind, content in pieces)
    assert substitute(template, lambda name: f"<{name}>") == expected
    assert variables(template) == [content for kind, content in pieces if kind == "name"]


def test_scalars_are_written_as_cloudformation_writes_them() -> None:
    assert [text(True), text(False), text(3), text(1.5), text("a")] == ["true", "false", "3", "1.5", "a"]
