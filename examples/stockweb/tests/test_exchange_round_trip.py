"""Whatever was exported changes nothing when it is imported, and makes the very same in an empty database."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange import checking, committing, desk
from exchange.export import export
from exchange.models import Import
from parts.models import AttributeDefinition, AttributeValue, Part, PartType
from stock import ledger
from stock.models import Box
from tests.factories import define

FIRST = st.sampled_from(["", "=", "+", "-", "@", "'", "'=", "''", '"', ",", ";"])


def text(most: int, least: int = 0, extra: str = "") -> Any:
    """Text as forms let it in: of one line unless ``extra`` allows more, with no space around it."""
    characters = st.characters(exclude_categories=("Cc", "Cs"), include_characters=extra)
    made = st.tuples(FIRST, st.text(characters, max_size=most - 2)).map(lambda pair: "".join(pair).strip())
    return made.filter(lambda each: len(each) >= least)


WORD = text(30).filter(str.isprintable)
PART = st.fixed_dictionaries(
    {
        "name": text(40, least=1),
        "mpn": st.one_of(st.just(""), text(20)),
        "manufacturer": text(20),
        "description": text(60, extra="\n\r\t"),
        "package": text(10),
        "tags": text(20),
        "min_qty": st.integers(0, 2**31 - 1),
    }
)
WORLD = st.lists(
    st.tuples(
        PART,
        st.sampled_from(["Resistor", "Film"]),
        st.sampled_from(["", "4k7", "220R", "4,7 kΩ", "1M ±1%"]),
        WORD,
        st.dictionaries(st.sampled_from(["A1", "B2"]), st.tuples(st.integers(0, 10**9), st.booleans()), max_size=2),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda each: (each[0]["mpn"], each[0]["manufacturer"]) if each[0]["mpn"] else uuid.uuid4(),
)


@pytest.fixture
def empty(db: None) -> None:
    """Types, attributes and boxes, but no parts. The name of a type may have in it what stands between types."""
    define("resistance", unit="ohm")
    define("colour", kind="text", label="Colour > 1")
    PartType.objects.create(name="Film", parent=PartType.objects.get(name="Resistor"))
    PartType.objects.create(name="Resistor > Film")
    for code in ("A1", "B2"):
        Box.objects.create(code=code)


def make(world: list[Any]) -> None:
    boxes = dict(Box.objects.values_list("code", "pk"))
    definitions = {each.key: each for each in AttributeDefinition.objects.all()}
    for fields, of_type, resistance, colour, lots in world:
        part = Part.objects.create(type=PartType.objects.get(name=of_type), **fields)
        for key, raw in (("resistance", resistance), ("colour", colour)):
            if raw:
                AttributeValue.objects.create(part=part, definition=definitions[key], raw=raw)
        for code, (quantity, roughly) in lots.items():
            ledger.count(part.pk, boxes[code], quantity, roughly=roughly)


def exported() -> str:
    return "".join(export(Part.objects.all()))


def dry_run(user: User, content: str) -> Import:
    it = desk.hand_in(user.pk, "export.csv", content.encode())
    desk.check(it, it.columns, {})
    it.refresh_from_db()
    checking.check(f"{it.pk}", it.run)
    it.refresh_from_db()
    return it


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(world=WORLD)
def test_there_and_back_again(empty: None, keeper: User, world: list[Any]) -> None:
    with transaction.atomic():
        make(world)
        first = exported()
        it = dry_run(keeper, first)
        verdicts = desk.verdicts(it)
        told = [each.notes for each in it.lines.all() if each.notes]
        transaction.set_rollback(True)
    assert told == []
    assert verdicts == {"create": 0, "update": 0, "same": it.rows, "error": 0}
    with transaction.atomic():
        assert not Part.objects.exists()
        it = dry_run(keeper, first)
        assert desk.verdicts(it)["error"] == 0, [each.notes for each in it.lines.all()]
        desk.commit(it)
        committing.commit(f"{it.pk}", it.run)
        it.refresh_from_db()
        assert it.state == Import.State.DONE, it.error
        second = exported()
        transaction.set_rollback(True)
    assert second == first
