"""Asking again while AWS does not answer: throttled, failing inside, out of reach, or with credentials that are over.

boto3 repeats a call for some seconds. A release that has told ECS to change something must not end for a network that
is away for a minute, since whoever started it would have to find out what became of it. So while a release runs, each
call is repeated for :attr:`Patience.seconds` more. Once that was in vain the next calls are made once each, until one
is answered: the way out must not take as long again for each of them.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from seatrial.aws.errors import PASSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.aws.clock import Clock

Answer = TypeVar("Answer")


class Patience:
    """How long calls are repeated. None are, outside of :meth:`over`.

    ``seconds`` from a call's first failure on, ``pace`` seconds apart.
    """

    def __init__(self, seconds: float, pace: float) -> None:
        self.seconds = seconds
        self._pace = pace
        self._clock: Clock | None = None
        self._tell: Callable[[str], None] = lambda _text: None
        self._lost = False

    @contextmanager
    def over(self, clock: Clock, tell: Callable[[str], None]) -> Iterator[None]:
        """Repeat the calls of the block. ``tell`` is given a line when AWS stops answering and when it does again."""
        self._clock, self._tell, self._lost = clock, tell, False
        try:
            yield
        finally:
            self._clock = None

    @property
    def active(self) -> bool:
        """Whether calls are repeated now."""
        return self._clock is not None

    def kept(self, attempt: Callable[[], Answer]) -> Answer:
        """Return what ``attempt`` returns at last, or raise what it raised at last."""
        clock, since = self._clock, None
        while True:
            try:
                answer = attempt()
            except PASSING as error:
                if clock is None or self._lost:
                    raise
                now = clock.monotonic()
                if since is None:
                    since = now
                    self._tell(f"{error.message}; asking again for {self.seconds:.0f} s")
                elif now - since >= self.seconds:
                    self._lost = True
                    raise
                clock.sleep(self._pace)
            else:
                if since is not None:
                    self._tell("AWS answers again")
                self._lost = False
                return answer
