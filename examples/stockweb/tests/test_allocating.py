"""Sharing the stock among lines. No database."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from projects.allocating import Need, allocate, buildable

PARTS = st.integers(1, 4)
STOCK = st.dictionaries(PARTS, st.integers(0, 12))
NEEDS = st.lists(st.tuples(st.integers(1, 5), st.lists(PARTS, max_size=3, unique=True)), max_size=5).map(
    lambda given: [Need(line, quantity, parts) for line, (quantity, parts) in enumerate(given)]
)
NAMED = NEEDS.map(lambda needs: [Need(each.line, each.quantity, each.parts[:1]) for each in needs])


def possible(needs: list[Need], stock: dict[int, int], boards: int) -> bool:
    """Try every part of every line."""
    for parts in product(*(need.parts for need in needs)):
        used: dict[int, int] = {}
        for need, part in zip(needs, parts, strict=True):
            used[part] = used.get(part, 0) + need.quantity * boards
        if all(stock.get(part, 0) >= quantity for part, quantity in used.items()):
            return True
    return False


def test_lines_share_one_part() -> None:
    found = allocate([Need(1, 6, [1]), Need(2, 6, [1])], {1: 10}, 1)
    assert [(each.got, each.short) for each in found.shares.values()] == [(6, 0), (4, 2)]


def test_a_line_with_a_choice_leaves_the_part_to_the_one_without() -> None:
    found = allocate([Need(1, 5, [1, 2]), Need(2, 5, [1])], {1: 5, 2: 5}, 1)
    assert (found.shares[1].part, found.shares[2].part, found.whole) == (2, 1, True)


def test_a_line_that_stays_short_takes_nothing_from_one_that_would_be_whole() -> None:
    found = allocate([Need(1, 10, [1]), Need(2, 5, [1])], {1: 8}, 1)
    assert (found.shares[1].got, found.shares[2].got) == (3, 5)


@given(NEEDS, STOCK, st.integers(1, 3))
def test_nothing_is_given_twice(needs: list[Need], stock: dict[int, int], boards: int) -> None:
    found = allocate(needs, stock, boards)
    for part in {*stock, *found.left}:
        given_away = sum(each.got for each in found.shares.values() if each.part == part)
        assert given_away + found.left.get(part, 0) == stock.get(part, 0)
        assert found.left.get(part, 0) >= 0
    assert [each.line for each in needs] == sorted(found.shares)
    assert all(0 <= each.got <= each.needed for each in found.shares.values())


@given(NEEDS, STOCK)
def test_what_is_said_to_be_buildable_is(needs: list[Need], stock: dict[int, int]) -> None:
    boards = buildable(needs, stock)
    assert boards == 0 or possible(needs, stock, boards)


@given(NAMED, STOCK)
def test_without_choices_no_more_can_be_built(needs: list[Need], stock: dict[int, int]) -> None:
    boards = buildable(needs, stock)
    assert not needs or not possible(needs, stock, boards + 1)
