"""Sixteen builds at once take exactly what is there."""

import uuid

import pytest

from projects import building
from projects.importing import read_lines, replace_lines
from projects.models import Build, Project
from stock import ledger
from stock.audit import discrepancies
from stock.models import Box, Lot
from tests.factories import part
from tests.test_ledger_concurrency import THREADS, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def prepared() -> list[Project]:
    """Two projects that need the same two parts in another order, of which there are ten in two boxes each."""
    boxes = [Box.objects.create(code=code) for code in ("A1", "A2")]
    for name in ("ONE", "TWO"):
        it = part(name, mpn=name)
        for box, quantity in zip(boxes, (4, 6), strict=True):
            ledger.add(it.pk, box.pk, quantity)
    projects = []
    for order in (("ONE", "TWO"), ("TWO", "ONE")):
        project = Project.objects.create(name=order[0])
        lines = "".join(f"X{number},{mpn},{mpn}\n" for number, mpn in enumerate(order))
        replace_lines(project, read_lines(f"Reference,Value,MPN\n{lines}".encode()))
        projects.append(project)
    return projects


def attempt(project: Project, key: uuid.UUID) -> str:
    try:
        return f"replayed {building.build(project, 1, key=key).replayed}"
    except building.NotBuildable:
        return "lacking"


def test_exactly_as_many_are_built_as_there_is_for() -> None:
    projects = prepared()
    ended = at_once(lambda number: attempt(projects[number % 2], uuid.uuid4()))
    assert ended == {"replayed False": 10, "lacking": THREADS - 10}
    assert set(Lot.objects.values_list("qty", flat=True)) == {0}
    assert discrepancies() == []


def test_one_key_sent_by_all_is_one_build() -> None:
    project, key = prepared()[0], uuid.uuid4()
    assert at_once(lambda _n: attempt(project, key)) == {"replayed False": 1, "replayed True": THREADS - 1}
    assert Build.objects.count() == 1
