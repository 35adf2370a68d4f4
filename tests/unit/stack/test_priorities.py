from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import UsageError
from seatrial.stack.priorities import priorities
from tests.unit.stack.support import UNHURRIED

PATTERNS = st.lists(
    st.from_regex(r"/[a-z*?/]{0,40}", fullmatch=True) | st.from_regex(r"/[a-z/]{0,6}\*", fullmatch=True),
    unique=True,
    max_size=60,
)


@UNHURRIED
@given(PATTERNS, st.sampled_from(["shop-production", "shop-staging"]))
def test_numbers_are_distinct_and_within_what_a_load_balancer_takes(patterns: list[str], environment: str) -> None:
    numbers = priorities(environment, patterns)
    assert set(numbers) == set(patterns)
    assert len(set(numbers.values())) == len(patterns)
    assert all(1_000 <= number <= 49_000 for number in numbers.values())


@UNHURRIED
@given(PATTERNS)
def test_a_longer_literal_part_is_asked_first(patterns: list[str]) -> None:
    numbers = priorities("shop-production", patterns)
    for one, other in itertools.permutations(patterns, 2):
        if len(one.split("*")[0].split("?")[0]) > len(other.split("*")[0].split("?")[0]):
            assert numbers[one] < numbers[other]


@UNHURRIED
@given(PATTERNS)
def test_the_order_in_the_file_is_of_no_account(patterns: list[str]) -> None:
    assert priorities("shop-production", patterns) == priorities("shop-production", patterns[::-1])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/ws/*", "/*"),
        ("/admin/login", "/admin/*"),
        ("/admin", "/admin*"),
        ("/a*/export", "/a*"),
        ("/" + "x" * 60 + "/*", "/" + "x" * 40 + "*"),
    ],
)
def test_of_two_that_overlap_the_more_specific_is_first(first: str, second: str) -> None:
    for environment in ("one", "two", "three", "four", "five"):
        numbers = priorities(environment, [second, first])
        assert numbers[first] < numbers[second]


def test_a_route_keeps_its_number_when_others_come_and_go() -> None:
    alone = priorities("shop-production", ["/*"])
    many = priorities("shop-production", ["/*", "/ws/*", "/api/*", "/static/*"])
    assert many["/*"] == alone["/*"]
    fewer = priorities("shop-production", ["/*", "/api/*"])
    assert fewer["/api/*"] == many["/api/*"]


def test_environments_on_one_load_balancer_seldom_meet() -> None:
    numbers = [priorities(f"shop-preview-{number}", ["/*"])["/*"] for number in range(20)]
    assert len(set(numbers)) == len(numbers)


def test_a_pattern_leads_to_one_place() -> None:
    with pytest.raises(UsageError, match="/api/\\* is given twice"):
        priorities("shop-production", ["/api/*", "/*", "/api/*"])


def test_more_routes_than_a_load_balancer_has_rules() -> None:
    with pytest.raises(UsageError, match="101 routes"):
        priorities("shop-production", [f"/{number}/*" for number in range(101)])
