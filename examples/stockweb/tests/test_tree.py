"""Trees of rows that name their parent, and the models that use them."""

from dataclasses import dataclass

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from parts.models import AttributeDefinition, AttributeValue, PartType
from stock.models import Box
from stockweb.tree import tree
from tests.factories import part


@dataclass(frozen=True)
class Row:
    pk: int
    parent_id: int | None


ROWS = [Row(1, None), Row(2, 1), Row(3, 1), Row(4, 2), Row(5, None)]


def test_walk_has_parents_before_children_with_their_depth() -> None:
    assert [(depth, row.pk) for depth, row in tree(ROWS).walk()] == [(0, 1), (1, 2), (2, 4), (1, 3), (0, 5)]


def test_within_is_the_row_and_all_below() -> None:
    assert sorted(tree(ROWS).within(1)) == [1, 2, 3, 4]
    assert tree(ROWS).within(5) == [5]


def test_path_leads_from_the_root() -> None:
    assert [row.pk for row in tree(ROWS).path(4)] == [1, 2, 4]


@pytest.mark.django_db
def test_a_type_cannot_lie_inside_itself() -> None:
    above = PartType.objects.create(name="Capacitor")
    below = PartType.objects.create(name="Ceramic", parent=above)
    above.parent = below
    with pytest.raises(ValidationError, match="inside itself"):
        above.full_clean()
    below.parent = below
    with pytest.raises(IntegrityError):
        below.save()


@pytest.mark.django_db
def test_a_box_cannot_lie_inside_itself() -> None:
    above = Box.objects.create(code="R1")
    above.parent = Box.objects.create(code="R2", parent=above)
    with pytest.raises(ValidationError, match="inside itself"):
        above.full_clean()


@pytest.mark.django_db
def test_two_types_of_one_name_need_two_parents() -> None:
    PartType.objects.create(name="Other")
    with pytest.raises(IntegrityError):
        PartType.objects.create(name="Other")


@pytest.mark.parametrize("code", ["a1", "A 1", "-A", "A--1", ""])
def test_a_box_code_is_what_fits_on_a_label(code: str) -> None:
    with pytest.raises(ValidationError):
        Box(code=code).clean_fields()


@pytest.mark.django_db
def test_a_part_takes_attributes_of_its_type_and_those_above_only() -> None:
    above = PartType.objects.create(name="Capacitor")
    below = PartType.objects.create(name="Ceramic", parent=above)
    capacitance = AttributeDefinition.objects.create(part_type=above, key="capacitance", label="Capacitance", unit="F")
    AttributeValue(part=part("100n", type=below), definition=capacitance, raw="100n").full_clean()
    with pytest.raises(ValidationError, match="has no attribute"):
        AttributeValue(part=part("4k7"), definition=capacitance, raw="100n").full_clean()
