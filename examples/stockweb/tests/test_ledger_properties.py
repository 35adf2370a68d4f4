"""Any sequence of changes, compared with a model of three numbers, of which some are guesses."""

import uuid

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from stock import ledger
from stock.audit import discrepancies
from stock.models import Box, Lot
from tests.factories import part

BOXES = st.integers(0, 2)
QUANTITIES = st.integers(1, 6)


class Ledger(RuleBasedStateMachine):
    """Adds, takes, moves, counts, guesses, builds and undoes; sends some of it twice."""

    movements = Bundle("movements")

    @initialize()
    def begin(self) -> None:
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.part = part()
        self.boxes = [Box.objects.create(code=f"M{number}").pk for number in range(3)]
        self.expected = [0, 0, 0]
        self.approx = [False, False, False]
        self.guessed: dict[int, tuple[int, bool]] = {}
        self.undone: dict[int, list[tuple[int, int]]] = {}

    def teardown(self) -> None:
        if hasattr(self, "transaction"):
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    @rule(target=movements, box=BOXES, quantity=QUANTITIES, twice=st.booleans())
    def add(self, box: int, quantity: int, twice: bool) -> int:
        key = uuid.uuid4()
        entry = ledger.add(self.part.pk, self.boxes[box], quantity, key=key)
        self.expected[box] += quantity
        assert entry.balance == self.expected[box]
        if twice:
            assert ledger.add(self.part.pk, self.boxes[box], quantity, key=key).movement == entry.movement
        self.undone[entry.movement] = [(box, -quantity)]
        return entry.movement

    @rule(target=movements, box=BOXES, quantity=QUANTITIES, twice=st.booleans())
    def take(self, box: int, quantity: int, twice: bool) -> int | None:
        key = uuid.uuid4()
        try:
            entry = ledger.take(self.part.pk, self.boxes[box], quantity, key=key)
        except ledger.Short as short:
            assert not self.approx[box]
            assert short.balance == self.expected[box] < quantity
            return None
        self.took(box, quantity)
        assert entry.balance == self.expected[box] >= 0
        if twice:
            assert ledger.take(self.part.pk, self.boxes[box], quantity, key=key).movement == entry.movement
        self.undone[entry.movement] = [(box, quantity)]
        return entry.movement

    @rule(target=movements, source=BOXES, step=st.integers(1, 2), quantity=QUANTITIES)
    def move(self, source: int, step: int, quantity: int) -> int | None:
        target = (source + step) % 3
        try:
            out, _ = ledger.move(self.part.pk, self.boxes[source], self.boxes[target], quantity)
        except ledger.Short as short:
            assert not self.approx[source]
            assert short.balance == self.expected[source] < quantity
            return None
        self.took(source, quantity)
        self.expected[target] += quantity
        self.undone[out.movement] = [(source, quantity), (target, -quantity)]
        return out.movement

    @rule(target=movements, box=BOXES, counted=st.integers(0, 6), roughly=st.booleans(), twice=st.booleans())
    def count(self, box: int, counted: int, roughly: bool, twice: bool) -> int:
        key = uuid.uuid4()
        entry = ledger.count(self.part.pk, self.boxes[box], counted, roughly=roughly, key=key)
        assert (entry.delta, entry.balance) == (counted - self.expected[box], counted)
        if twice:
            again = ledger.count(self.part.pk, self.boxes[box], counted, roughly=roughly, key=key)
            assert (again.movement, again.replayed) == (entry.movement, True)
        self.guessed[entry.movement] = (box, self.approx[box])
        self.expected[box], self.approx[box] = counted, roughly
        self.undone[entry.movement] = [(box, -entry.delta)]
        return entry.movement

    @rule(target=movements, quantities=st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(any))
    def build(self, quantities: list[int]) -> int | None:
        wanted = {box: quantity for box, quantity in enumerate(quantities) if quantity}
        picks = [ledger.Pick(self.part.pk, self.boxes[box], quantity) for box, quantity in wanted.items()]
        try:
            entries = ledger.take_together(picks, uuid.uuid4())
        except ledger.Short:
            assert any(self.expected[box] < quantity and not self.approx[box] for box, quantity in wanted.items())
            return None
        for box, quantity in wanted.items():
            self.took(box, quantity)
        self.undone[entries[0].movement] = list(wanted.items())
        return entries[0].movement

    @rule(movement=movements)
    def undo(self, movement: int | None) -> None:
        if movement is None:
            return
        changes = self.undone[movement]
        try:
            entries = ledger.undo(movement)
        except ledger.Short:
            assert any(self.expected[box] + delta < 0 for box, delta in changes)
            return
        if entries[0].replayed:
            assert changes == []
            return
        for box, delta in changes:
            self.expected[box] += delta
        if movement in self.guessed:
            box, approx = self.guessed[movement]
            self.approx[box] = approx
        self.undone[movement] = []  # a second undo changes nothing

    def took(self, box: int, quantity: int) -> None:
        """There were at least as many as were taken."""
        self.expected[box] = max(self.expected[box], quantity) - quantity

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "part"):
            return
        held = {box: rest for box, *rest in Lot.objects.values_list("box_id", "qty", "approx")}
        expected = [list(each) for each in zip(self.expected, self.approx, strict=True)]
        assert [held.get(box, [0, False]) for box in self.boxes] == expected
        assert discrepancies() == []


@pytest.mark.django_db
def test_any_history_agrees_with_the_model() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=25,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
