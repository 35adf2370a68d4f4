"""Seams for unit tests: time that passes when something waits, and AWS calls that are answered by the test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.resources.work import Place, Waiter, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class PassingClock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.time = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.time

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def scaled(self, seconds: float, *, at_least: float = 0.0) -> float:  # noqa: ARG002  # of the clock protocol
        return seconds

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


class Calls:
    """Answers AWS calls from a table of operation → answer (or function of the parameters) and remembers them."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = dict(answers)
        self.made: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, _: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        self.made.append((operation, parameters))
        answer = self.answers.get(operation, {})
        answer = answer(parameters) if callable(answer) else answer
        assert isinstance(answer, dict)
        return answer

    def of(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.made if name == operation]


def shapes(service: str, operation: str) -> Any:
    """Return an operation's input shape out of botocore's service models, without a client."""
    import botocore.session
    from botocore import xform_name

    model = _MODELS.get(service) or _MODELS.setdefault(
        service, botocore.session.get_session().get_service_model(service)
    )
    name = next(name for name in model.operation_names if xform_name(name) == operation)
    return model.operation_model(name).input_shape


_MODELS: dict[str, Any] = {}


def work(
    kind: str,
    properties: Mapping[str, Any],
    calls: Callable[..., dict[str, Any]],
    clock: PassingClock | None = None,
    physical_id: str = "",
) -> Work:
    """Return a resource as its provider is given it."""
    clock = clock or PassingClock()
    place = Place("shop", "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/1", "eu-west-1", "123456789012")
    return Work(
        place=place,
        logical_id="Thing",
        type=kind,
        schema=None,
        properties=dict(properties),
        call=calls,
        waiter=Waiter(clock, clock.pause),
        shapes=shapes,
        physical_id=physical_id,
    )
