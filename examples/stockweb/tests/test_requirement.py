"""What is understood of a requirement, by attribute and in one line."""

from typing import Any

import pytest
from django.http import QueryDict

from parts.asking import address, asked
from parts.models import AttributeDefinition
from parts.quantity import QuantityError
from parts.requirement import Requirement, RequirementError, clause, vocabulary
from seeds.catalogue import parts

KIND, MATCH = AttributeDefinition.Kind, AttributeDefinition.Match


def definition(kind: str, match: str, unit: str = "V", **values: Any) -> AttributeDefinition:
    return AttributeDefinition(key="a", label="A", kind=kind, match=match, unit=unit, **values)


@pytest.mark.parametrize(
    ("kind", "match", "text", "expected"),
    [
        (KIND.QUANTITY, MATCH.HIGHER, "25V", (">=", 25, 25)),
        (KIND.QUANTITY, MATCH.LOWER, "25V", ("<=", 25, 25)),
        (KIND.QUANTITY, MATCH.EXACT, "25V", ("within", 25 - 25e-6, 25 + 25e-6)),
        (KIND.QUANTITY, MATCH.EXACT, "-25V", ("within", -25 - 25e-6, -25 + 25e-6)),
        (KIND.QUANTITY, MATCH.EXACT, ">= 25V", (">=", 25, 25)),
        (KIND.QUANTITY, MATCH.HIGHER, "<= 25V", ("<=", 25, 25)),
        (KIND.QUANTITY, MATCH.HIGHER, "< 25V", ("<", 25, 25)),
        (KIND.QUANTITY, MATCH.HIGHER, "= 25V", ("within", 25 - 25e-6, 25 + 25e-6)),
        (KIND.QUANTITY, MATCH.HIGHER, "20V ±10%", ("within", 18, 22)),
        (KIND.QUANTITY, MATCH.HIGHER, "10-20V", ("within", 10, 20)),
        (KIND.RANGE, MATCH.COVERS, "12V", ("covers", 12, 12)),
        (KIND.RANGE, MATCH.COVERS, "9-12V", ("covers", 9, 12)),
        (KIND.RANGE, MATCH.COVERS, "5V ±10%", ("covers", 4.5, 5.5)),
        (KIND.RANGE, MATCH.COVERS, ">= 12V", (">=", 12, 12)),
        (KIND.RANGE, MATCH.COVERS, "= 5V", ("within", 5 - 5e-6, 5 + 5e-6)),
    ],
)
def test_the_rule_of_the_attribute_decides_unless_the_text_does(
    kind: str, match: str, text: str, expected: tuple[str, float, float]
) -> None:
    found = clause(definition(kind, match), text)
    assert (found.comparison, found.low, found.high) == (
        expected[0],
        pytest.approx(expected[1], rel=1e-8),
        pytest.approx(expected[2], rel=1e-8),
    )


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (KIND.CHOICE, "x7r", ("X7R",)),
        (KIND.CHOICE, "x7r | C0G|x7r", ("X7R", "C0G")),
        (KIND.TEXT, "24  Steps", ("24 steps",)),
        (KIND.BOOLEAN, "Yes", ("yes",)),
    ],
)
def test_words(kind: str, text: str, expected: tuple[str, ...]) -> None:
    choices = "C0G\nX7R" if kind == KIND.CHOICE else ""
    assert clause(definition(kind, MATCH.ONE_OF, choices=choices), text).words == expected


@pytest.mark.parametrize(
    ("kind", "text"), [(KIND.QUANTITY, "many"), (KIND.QUANTITY, ">= 5V ±1%"), (KIND.CHOICE, "Z5U"), (KIND.TEXT, "|")]
)
def test_what_is_not_understood_is_refused(kind: str, text: str) -> None:
    with pytest.raises(QuantityError):
        clause(definition(kind, MATCH.HIGHER, choices="C0G"), text)


# In one line, with the types and parts of the seeds ----------------------------------------------------------------


def understood(query: str | dict[str, str]) -> Requirement:
    given = QueryDict(mutable=True)
    given.update({"line": query} if isinstance(query, str) else query)
    found = asked(given, vocabulary())
    assert found is not None
    return found


@pytest.mark.usefixtures("seeded", "db")
class TestLine:
    @pytest.mark.parametrize(
        ("line", "type_name", "wanted"),
        [
            ("≥ 10 µF, ≥ 25 V, in stock", "Capacitor", {"capacitance": "≥ 10 µF", "voltage": "≥ 25 V"}),
            (
                "≥ 4,7 µF,≥ 6,3V; X7R|X5R",
                "Ceramic",
                {"capacitance": "≥ 4,7 µF", "voltage": "≥ 6,3V", "dielectric": "X7R|X5R"},
            ),
            ("Capacitors, 10u, x7r", "Ceramic", {"capacitance": "10u", "dielectric": "x7r"}),
            ("4k7 ±1%, resistor", "Resistor", {"resistance": "4k7 ±1%"}),
            ("resistor, 10k, 1%, 1/4W", "Resistor", {"resistance": "10k", "tolerance": "1%", "power": "1/4W"}),
            ("resistor, power 1/4, tolerance: ≤ 1", "Resistor", {"power": "1/4", "tolerance": "≤ 1"}),
            ("regulator, supply 9-12V, Output: 5V", "Regulator", {"supply": "9-12V", "output": "5V"}),
            ("amplifier, rail to rail, channels>=2", "Amplifier", {"rail-to-rail": "yes", "channels": ">=2"}),
            ("npn, current ≥ 100mA", "Transistor", {"polarity": "npn", "current": "≥ 100mA"}),
            ("logic, 5V, 85 °C", "Logic", {"supply": "5V", "temperature": "85 °C"}),
        ],
    )
    def test_attributes_are_told_by_name_unit_and_choice(
        self, line: str, type_name: str, wanted: dict[str, str]
    ) -> None:
        found = understood(line)
        assert found.type.name == type_name
        assert {each.definition.key: each.text for each in found.clauses} == wanted
        assert found.in_stock == ("in stock" in line)

    def test_a_package_is_told_by_the_parts_that_have_it(self) -> None:
        found = understood("resistor, 10k, 0805")
        assert (found.package, len(found.clauses)) == ("0805", 1)
        assert understood("resistor, package SOT-23, 10k").package == "SOT-23"

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("regulator, 5V", "may be supply or output"),
            ("10k", "name the type of part first"),
            ("", "name the type of part first"),
            ("in stock", "name the type of part first"),
            ("capacitor, purple", "“purple” is not understood; the attributes are: capacitance"),
            ("capacitor, voltage 1,000 V", "may be thousands"),
            ("capacitor, 10uF, 22uF", "asked for twice"),
            ("resistor, 10k, 0805, axial", "asked for twice"),
            ("flux capacitor, 1.21GW", "no type of part has all of this"),
            (", ".join(["x"] * 31), "at most 30 items"),
            ("x" * 401, "at most 400 characters"),
            ("10k\x00", "in one line"),
        ],
    )
    def test_what_is_not_understood_or_may_be_two_is_refused(self, line: str, message: str) -> None:
        with pytest.raises(RequirementError) as caught:
            understood({"line": line, "type": ""} if line else {"line": " , "})
        assert set(caught.value.wrong) == {"line"}
        assert message in str(caught.value)

    def test_a_type_that_is_chosen_narrows_the_line(self) -> None:
        diode = next(pk for pk, each in vocabulary().types.rows.items() if each.name == "Diode")
        found = understood({"line": "≥ 40 V, ≥ 1A", "type": f"{diode}"})
        assert found.type.pk == diode
        assert understood({"line": "resistor, 4k7", "type": f"{diode}"}).type.name == "Resistor"

    def test_the_address_of_a_requirement_asks_for_the_same(self) -> None:
        found = understood("capacitor, ≥ 4,7 µF, X7R|X5R, 0805, in stock")
        assert asked(QueryDict(address(found)), vocabulary()) == found

    def test_every_value_of_the_seeds_is_understood_as_a_requirement(self) -> None:
        known = vocabulary()
        paths = {tuple(each.name for each in known.types.path(pk)): pk for pk in known.types.rows}
        for seed in parts():
            assert len(known.requirement(paths[seed.type], seed.values).clauses) == len(seed.values)


@pytest.mark.usefixtures("seeded", "db")
def test_all_that_is_wrong_is_told_by_attribute() -> None:
    capacitor = next(pk for pk, each in vocabulary().types.rows.items() if each.name == "Capacitor")
    query = {
        "type": f"{capacitor}",
        "attr:capacitance": "10",
        "attr:voltage": "",
        "attr:colour": "red",
        "attr:tolerance": "x",
    }
    with pytest.raises(RequirementError) as caught:
        understood(query)
    assert set(caught.value.wrong) == {"capacitance", "colour", "tolerance"}
    assert "it has capacitance, voltage, tolerance" in caught.value.wrong["colour"]
