"""Boxes in boxes: moved with all that is in them, never into themselves."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection

from stock.boxes import Loop, move_box
from stock.models import Box, box_tree

pytestmark = pytest.mark.django_db


def nested(*codes: str) -> list[Box]:
    """Make boxes, each inside the one before."""
    made: list[Box] = []
    for code in codes:
        made.append(Box.objects.create(code=code, parent=made[-1] if made else None))
    return made


def test_a_box_is_moved_with_what_is_in_it() -> None:
    _, middle, inner = nested("A", "B", "C")
    other = Box.objects.create(code="D")
    move_box(middle, other)
    assert [each.code for each in box_tree().path(inner.pk)] == ["D", "B", "C"]
    move_box(middle, None)
    assert [each.code for each in box_tree().path(inner.pk)] == ["B", "C"]


def test_a_box_does_not_go_into_what_it_holds() -> None:
    outer, _, inner = nested("A", "B", "C")
    with pytest.raises(Loop, match="A cannot stand inside C"):
        move_box(outer, inner)
    assert box_tree().path(inner.pk)[0] == outer


def test_the_database_refuses_a_loop_whoever_asks() -> None:
    outer, _, inner = nested("A", "B", "C")
    with pytest.raises(IntegrityError, match="cannot stand inside itself"):
        Box.objects.filter(pk=outer.pk).update(parent=inner)


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_do_not_make_a_loop_together() -> None:
    boxes = [Box.objects.create(code=code) for code in ("A", "B")]
    start = threading.Barrier(2)

    def run(number: int) -> str:
        try:
            connection.ensure_connection()
            start.wait(30)
            move_box(boxes[number], boxes[1 - number])
        except Loop:
            return "refused"
        else:
            return "moved"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, range(2))) == ["moved", "refused"]
