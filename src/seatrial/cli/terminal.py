"""A person's terminal, handed over to a command elsewhere: each key as it is pressed, each character as it comes."""

from __future__ import annotations

import os
import sys
import termios
import threading
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.aws.datachannel import DataChannel

_MOST = 1024
#: Ctrl-D, by which a terminal says that nothing more will be typed.
_END_OF_INPUT = b"\x04"


@contextmanager
def handed_over(channel: DataChannel, *, raw: bool) -> Iterator[Callable[[], None]]:
    """Send what is typed (or piped in) to ``channel``; ``raw`` hands over the terminal itself, Ctrl-C and all.

    Yields what is to be called now and then, from when the command has begun: it tells the channel a new size of the
    window, and the first call lets the keys through.
    """
    source = sys.stdin.fileno()
    before = termios.tcgetattr(source) if raw else None
    if raw:
        tty.setraw(source, termios.TCSADRAIN)  # what was typed ahead is kept
    keys = threading.Thread(target=_forward, args=(source, channel, raw), name="keys", daemon=True)
    told: list[tuple[int, int]] = []

    def look() -> None:
        if keys.ident is None:
            keys.start()
        if raw:
            size = os.get_terminal_size(source)
            if told != [(size.lines, size.columns)]:
                told[:] = [(size.lines, size.columns)]
                channel.resize(size.lines, size.columns)

    try:
        yield look
    finally:
        if before is not None:
            termios.tcsetattr(source, termios.TCSADRAIN, before)


def _forward(source: int, channel: DataChannel, raw: bool) -> None:
    ended_line = True
    while keys := os.read(source, _MOST):
        channel.type(keys)
        ended_line = keys.endswith(b"\n")
    if not raw:
        channel.type(_END_OF_INPUT if ended_line else 2 * _END_OF_INPUT)
