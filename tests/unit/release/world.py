"""One environment on a scripted AWS, released to as the command line would, and what a release to it told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from seatrial.release import api
from seatrial.release.probes import Answer, Probes, Ran, Request
from tests.unit.release.support import NEW, FakeAws, FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seatrial.config.models import Settings
    from seatrial.release.outcome import Outcome
    from seatrial.release.watch import ReleaseEvent

SERVICES = ("web", "events", "worker", "beat")
Fake = TypeVar("Fake", bound=FakeAws)


class FakeProbes(Probes):
    """Answers what it is given, in turn; the last one again and again."""

    def __init__(self, *answers: Answer, ran: Ran | None = None) -> None:
        self.answers = list(answers) or [Answer(200, "in stock")]
        self.ran = ran or Ran(0, "")
        self.asked: list[Request] = []
        self.told: list[Mapping[str, str]] = []
        self.before: Callable[[], object] = lambda: None

    def get(self, request: Request) -> Answer:
        self.before()
        self.asked.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def run(
        self,
        command: Sequence[str],
        directory: Path,  # noqa: ARG002 - the real one's signature
        variables: Mapping[str, str],
        *,
        timeout: float,  # noqa: ARG002
        stop: Callable[[], bool],  # noqa: ARG002
    ) -> Ran:
        self.told.append({"command": " ".join(command), **variables})
        return self.ran


class ReleaseWorld(Generic[Fake]):
    """``fake`` is the kind of AWS; ``running``: the old version serves."""

    def __init__(self, settings: Settings, fake: type[Fake], *, running: bool = True) -> None:
        self.settings = settings
        self.clock = FakeClock()
        self.aws = fake(settings, self.clock, running=running)
        self.probes = FakeProbes()
        self.events: list[ReleaseEvent] = []

    def deploy(self, image: str = NEW, **options: Any) -> Outcome:
        return api.deploy(
            self.settings,
            Path(),
            self.aws,
            image=image,
            on_event=self.events.append,
            clock=self.clock,
            probes=self.probes,
            **options,
        )

    def live(self) -> list[str]:
        return [self.aws.live(unit) for unit in SERVICES]
