"""Asking again while AWS does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.aws.errors import AccessDenied, NoCredentials, Unavailable
from seatrial.aws.patience import Patience
from tests.unit.release.support import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable


def unavailable(message: str = "ecs:RunTask: Rate exceeded") -> Unavailable:
    return Unavailable(message, code="ThrottlingException", action="ecs:RunTask")


class Script:
    """Raises what it is told to, then answers."""

    def __init__(self, *failures: Exception, then: Callable[[], str] = lambda: "answer") -> None:
        self.failures = list(failures)
        self.then = then
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return self.then()


def test_outside_of_a_release_a_failure_is_a_failure() -> None:
    script = Script(unavailable())
    with pytest.raises(Unavailable):
        Patience(120.0, 2.0).kept(script)
    assert script.calls == 1


def test_a_call_is_repeated_until_it_is_answered_and_both_are_told_once() -> None:
    clock, told = FakeClock(), list[str]()
    patience = Patience(120.0, 2.0)
    with patience.over(clock, told.append):
        assert patience.kept(Script(unavailable(), unavailable(), NoCredentials("expired"))) == "answer"
    assert clock.time == 6.0
    assert told == ["ecs:RunTask: Rate exceeded; asking again for 120 s", "AWS answers again"]


def test_what_does_not_pass_is_raised_at_once() -> None:
    clock, script = FakeClock(), Script(AccessDenied("no", code="AccessDenied", action="ecs:RunTask", resource=None))
    patience = Patience(120.0, 2.0)
    with patience.over(clock, lambda _text: None), pytest.raises(AccessDenied):
        patience.kept(script)
    assert (script.calls, clock.time) == (1, 0.0)


def test_it_ends_and_then_each_call_is_made_once_until_one_is_answered() -> None:
    clock = FakeClock()
    patience = Patience(120.0, 2.0)
    with patience.over(clock, lambda _text: None):
        with pytest.raises(Unavailable):
            patience.kept(Script(*[unavailable()] * 100))
        assert clock.time == 120.0
        once = Script(unavailable())
        with pytest.raises(Unavailable):
            patience.kept(once)
        assert (once.calls, clock.time) == (1, 120.0)
        patience.kept(Script())
        assert patience.kept(Script(unavailable())) == "answer"


def test_the_next_release_has_patience_again() -> None:
    clock = FakeClock()
    patience = Patience(4.0, 2.0)
    with patience.over(clock, lambda _text: None), pytest.raises(Unavailable):
        patience.kept(Script(*[unavailable()] * 10))
    assert not patience.active
    with patience.over(clock, lambda _text: None):
        assert patience.kept(Script(unavailable())) == "answer"
