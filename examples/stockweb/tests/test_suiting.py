"""Which parts suit a requirement, which could, and in which order."""

from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parts.line import read_line
from parts.models import AttributeDefinition, AttributeValue, Part, PartType
from parts.reading import parse
from parts.requirement import Requirement, vocabulary
from stock import ledger
from stock.models import Box
from stock.suiting import possible, suiting, unknown
from tests.factories import define

pytestmark = pytest.mark.django_db

COLUMNS = ("capacitance", "voltage", "dielectric", "supply")


@pytest.fixture
def capacitors(db: None) -> PartType:
    """Capacitors, and ceramic ones below them, with an attribute of each kind of rule."""
    above = PartType.objects.create(name="Capacitor")
    below = PartType.objects.create(name="Ceramic", parent=above)
    define("capacitance", part_type=above, unit="F")
    define("voltage", part_type=above, unit="V", match="higher", position=1)
    define("esr", part_type=above, unit="ohm", match="lower", position=2)
    define("supply", part_type=above, unit="V", kind="range", position=3)
    define("dielectric", part_type=below, kind="choice", choices="C0G\nX7R\nX5R", position=4)
    return below


def make(of_type: PartType, name: str, stock: int = 0, **values: str) -> Part:
    it = Part.objects.create(type=of_type, name=name, package=values.pop("package", ""))
    for key, raw in values.items():
        AttributeValue.objects.create(part=it, definition=AttributeDefinition.objects.get(key=key), raw=raw)
    if stock:
        ledger.add(it.pk, Box.objects.get_or_create(code="A1")[0].pk, stock)
    return it


def asked(of_type: PartType, *, package: str = "", in_stock: bool = False, **wanted: str) -> Requirement:
    return vocabulary().requirement(of_type.pk, wanted, package=package, in_stock=in_stock)


def suits(requirement: Requirement) -> list[str]:
    return [part.name for part in suiting(requirement, 0, 50).parts]


def could(requirement: Requirement) -> list[str]:
    return [part.name for part in possible(requirement, 50).parts]


def test_the_line_of_the_issue(capacitors: PartType) -> None:
    given_values = {"capacitance": "22u", "voltage": "50V", "dielectric": "X7R"}
    for name, stock, changed in [
        ("just right", 1, {"capacitance": "10u", "voltage": "25V"}),
        ("larger", 1, {}),
        ("none left", 0, {}),
        ("too small", 1, {"capacitance": "9u9"}),
        ("too weak", 1, {"voltage": "16V"}),
        ("of another kind", 1, {"dielectric": "X5R"}),
        ("who knows", 1, {"voltage": "some"}),
    ]:
        make(
            capacitors,
            name,
            stock,
            **{key: f"{raw}F" if key == "capacitance" else raw for key, raw in (given_values | changed).items()},
        )
    make(capacitors, "voltage missing", 1, capacitance="22uF", dielectric="X7R")
    make(capacitors, "too small, voltage missing", 1, capacitance="1uF", dielectric="X7R")
    requirement = read_line("≥ 10 µF, voltage ≥ 25 V, X7R, in stock", None, vocabulary(), lambda _text: False)
    assert suits(requirement) == ["just right", "larger"]
    assert sorted(could(requirement)) == ["voltage missing", "who knows"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"capacitance": "10uF"}, ["10u"]),  # exact
        ({"capacitance": "10000 nF"}, ["10u"]),
        ({"capacitance": "10u ±50%"}, ["10u", "15u"]),  # an edge is within
        ({"capacitance": "10u-22u"}, ["10u", "15u", "22u"]),
        ({"capacitance": "> 10u"}, ["15u", "22u"]),
        ({"capacitance": "< 15u"}, ["10u"]),
        ({"voltage": "16V"}, ["10u", "15u"]),  # higher is fine
        ({"voltage": "= 16V"}, ["10u"]),
        ({"voltage": "≤ 16V"}, ["10u", "22u"]),
        ({"esr": "50m"}, ["10u", "15u"]),  # lower is fine
        ({"supply": "5V"}, ["10u", "15u"]),  # covers
        ({"supply": "4.5-5.5V"}, ["10u"]),
        ({"supply": "≥ 28V"}, ["10u"]),  # reaches so far
        ({"supply": "= 5V"}, ["15u"]),
        ({"dielectric": "X7R"}, ["10u"]),
        ({"dielectric": "x7r|c0g"}, ["10u", "15u"]),
        ({"package": "0805"}, ["10u"]),
    ],
)
def test_rules(capacitors: PartType, wanted: dict[str, str], expected: list[str]) -> None:
    make(
        capacitors,
        "10u",
        capacitance="10uF",
        voltage="16V",
        esr="10m",
        supply="4.5-28V",
        dielectric="X7R",
        package="0805",
    )
    make(
        capacitors, "15u", capacitance="15uF", voltage="25V", esr="50mΩ", supply="5V", dielectric="C0G", package="1206"
    )
    make(
        capacitors,
        "22u",
        capacitance="22uF",
        voltage="10V",
        esr="0.1",
        supply="10-12V",
        dielectric="X5R",
        package="axial",
    )
    requirement = asked(capacitors, package=wanted.pop("package", ""), **wanted)
    assert sorted(suits(requirement)) == expected
    assert could(requirement) == []


def test_a_part_is_found_once_and_those_of_types_below_too(capacitors: PartType) -> None:
    above = PartType.objects.get(name="Capacitor")
    of_it = make(above, "some", 3, capacitance="10uF", voltage="25V", supply="5V")
    for code in ("B1", "B2", "B3"):
        ledger.add(of_it.pk, Box.objects.create(code=code).pk, 1)
    make(capacitors, "ceramic", 1, capacitance="10uF", voltage="25V", supply="5V", dielectric="X7R")
    other = PartType.objects.create(name="Resistor")
    Part.objects.create(type=other, name="no capacitor")
    assert suits(asked(above, capacitance="10u", voltage="1V", supply="5V", in_stock=True)) == ["some", "ceramic"]
    assert suits(asked(capacitors, capacitance="10u", voltage="1V", supply="5V")) == ["ceramic"]


def test_in_stock_comes_first_then_the_tightest_then_the_most(capacitors: PartType) -> None:
    make(capacitors, "tight but gone", 0, voltage="16V", capacitance="10uF")
    make(capacitors, "loose", 9, voltage="100V", capacitance="10uF")
    make(capacitors, "few", 2, voltage="25V", capacitance="10uF")
    make(capacitors, "many", 7, voltage="25V", capacitance="10uF")
    assert suits(asked(capacitors, voltage="16V", capacitance="≥ 1u")) == ["many", "few", "loose", "tight but gone"]
    assert suits(asked(capacitors, voltage="16V", capacitance="≥ 1u", in_stock=True)) == ["many", "few", "loose"]


def test_a_range_that_covers_no_more_than_needed_comes_first(capacitors: PartType) -> None:
    make(capacitors, "wide", 1, supply="1-60V")
    make(capacitors, "narrow", 1, supply="4-6V")
    make(capacitors, "just that", 1, supply="5V")
    assert suits(asked(capacitors, supply="5V")) == ["just that", "narrow", "wide"]


def test_the_least_unknown_could_suit_best(capacitors: PartType) -> None:
    make(capacitors, "nothing", 1)
    make(capacitors, "no package", 1, voltage="25V", capacitance="10uF")
    make(capacitors, "no voltage", 1, capacitance="10uF", package="0805")
    make(capacitors, "no voltage but none left", 0, capacitance="10uF", package="0805")
    make(capacitors, "other package", 1, capacitance="10uF", package="1206")
    make(capacitors, "suits", 1, capacitance="10uF", voltage="25V", package="0805")
    requirement = asked(capacitors, voltage="16V", capacitance="10u", package="0805")
    assert suits(requirement) == ["suits"]
    bucket = possible(requirement, 50)
    assert [part.name for part in bucket.parts] == ["no voltage", "no package", "nothing", "no voltage but none left"]
    assert [[key for key, _ in unknown(requirement, part)] for part in bucket.parts] == [
        ["voltage"],
        ["package"],
        ["capacitance", "voltage", "package"],
        ["voltage"],
    ]


def test_a_requirement_of_nothing_suits_all(capacitors: PartType) -> None:
    make(capacitors, "any")
    assert (suits(asked(capacitors)), could(asked(capacitors))) == (["any"], [])


def test_pages_and_counts(capacitors: PartType) -> None:
    for number in range(7):
        make(capacitors, f"{number}", voltage="25V")
    requirement = asked(capacitors, voltage="1V")
    bucket = suiting(requirement, 5, 5)
    assert ([part.name for part in bucket.parts], bucket.count) == (["5", "6"], 7)
    assert suiting(requirement, 10, 5).parts == []


@pytest.mark.parametrize("clauses", [1, 4])
def test_one_query_for_each_bucket(capacitors: PartType, django_assert_num_queries: Any, clauses: int) -> None:
    make(capacitors, "any", 1, capacitance="10uF")
    wanted = {"capacitance": "10uF", "voltage": "5V", "supply": "5V", "dielectric": "X7R"}
    requirement = asked(capacitors, in_stock=True, package="0805", **dict(list(wanted.items())[:clauses]))
    with django_assert_num_queries(1):
        suiting(requirement, 0, 25)
    with django_assert_num_queries(1):
        possible(requirement, 25)


def test_the_indexes_of_typed_values_serve_it(capacitors: PartType, django_assert_num_queries: Any) -> None:
    farads, kinds = (AttributeDefinition.objects.get(key=key) for key in ("capacitance", "dielectric"))
    parts = Part.objects.bulk_create(Part(type=capacitors, name=f"{number}") for number in range(1000))
    values = [AttributeValue(part=each, definition=farads, raw=f"{each.pk % 97}uF") for each in parts]
    values += [AttributeValue(part=each, definition=kinds, raw="C0G" if each.pk % 50 else "X7R") for each in parts]
    for value in values:
        parse(value)
    AttributeValue.objects.bulk_create(values)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    for wanted, index in (
        ({"capacitance": "95uF"}, "attribute_by_number"),
        ({"dielectric": "X7R"}, "attribute_by_word"),
    ):
        requirement = asked(capacitors, **wanted)
        with django_assert_num_queries(1) as queries:
            assert suits(requirement)
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {queries.captured_queries[0]['sql']}")
            assert index in "\n".join(row[0] for row in cursor.fetchall())


# Against a model that compares in Python ----------------------------------------------------------------------------

volts = st.sampled_from(["", "6.3V", "10V", "16V", "25V"])
SPANS = ["5V", "3-6V", "4.5-28V", "10-12V"]
spans = st.sampled_from(["", *SPANS])
words = st.sampled_from(["", "C0G", "X7R"])
wishes = st.fixed_dictionaries(
    {},
    optional={
        "voltage": st.sampled_from(["10V", "> 10V", "<= 16V", "< 6.3V", "= 10V", "10-16V"]),
        "supply": st.sampled_from(["5V", "5-6V", ">= 6V", "<= 4V", "= 5V"]),
        "dielectric": st.sampled_from(["X7R", "X7R|C0G", "X5R"]),
    },
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawer=st.lists(st.tuples(volts, spans, words, st.integers(0, 2)), max_size=6), wanted=wishes)
def test_every_part_is_in_the_bucket_it_belongs_to(
    capacitors: PartType, drawer: list[tuple[str, str, str, int]], wanted: dict[str, str]
) -> None:
    Part.objects.update(type=PartType.objects.get_or_create(name="Elsewhere")[0])
    expected: dict[str, set[str]] = {"suits": set(), "could": set(), "fails": set()}
    for number, (voltage, supply, dielectric, stock) in enumerate(drawer):
        values = {"voltage": voltage, "supply": supply, "dielectric": dielectric}
        make(capacitors, f"{number}", stock, **{key: raw for key, raw in values.items() if raw})
        verdicts = {verdict(wanted[key], values[key]) for key in wanted}
        bucket = "fails" if False in verdicts else "could" if None in verdicts else "suits"
        expected[bucket].add(f"{number}")
    requirement = asked(capacitors, **wanted)
    found = suits(requirement), could(requirement)
    assert (set(found[0]), set(found[1])) == (expected["suits"], expected["could"])
    assert len(found[0]) + len(found[1]) == len(expected["suits"] | expected["could"])


def verdict(wish: str, raw: str) -> bool | None:
    """Compare as the drawn texts mean it; None where nothing is known."""
    if not raw:
        return None
    if not raw.endswith("V"):
        return raw in wish.split("|")
    low, high = (float(each) for each in (raw[:-1].split("-") * 2)[:2])
    sign, _, bound = wish.removesuffix("V").rpartition(" ")
    first, last = (float(each) for each in (bound.split("-") * 2)[:2])
    if sign:
        return {
            ">": high > first,
            ">=": high >= first,
            "<": low < first,
            "<=": low <= first,
            "=": low == high == first,
        }[sign]
    if raw in SPANS:
        return low <= first and high >= last
    return low >= first if first == last else first <= low <= last
