"""What a person sees of a command in a task, and what ECS is asked to run."""

from __future__ import annotations

import shlex

from hypothesis import example, given
from hypothesis import strategies as st

from seatrial.release.shell import Ending, line

WORD = "1f0a"
BEGUN, ENDED = b"\x1e1f0a:\x1e", b"\x1e1f0a:7\x1e"


@given(st.lists(st.binary(max_size=8), max_size=8), st.integers(0, 60), st.integers(0, 60))
@example([b"\x1e"], 0, 0)
def test_marks_are_found_wherever_the_text_is_cut_and_all_else_is_shown(
    pieces: list[bytes], first: int, second: int
) -> None:
    own = b"".join(pieces)
    whole = BEGUN + own + ENDED
    cuts = sorted({min(first, len(whole)), min(second, len(whole))})
    ending = Ending(WORD)
    parts = [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert b"".join(ending.shown(part) for part in parts) == own
    assert (ending.begun, ending.exit_code) == (True, 7)


def test_what_only_looks_like_a_mark_is_shown() -> None:
    ending = Ending(WORD)
    assert ending.shown(b"a\x1e1f0") == b"a"
    assert ending.shown(b"b\x1e") == b"\x1e1f0b"
    assert ending.shown(b"2222:3\x1e") == b"\x1e2222:3"
    assert (ending.begun, ending.exit_code) == (False, None)


def test_a_shell_runs_the_command_between_two_marks() -> None:
    """ECS splits the line as a shell would, and runs it without one."""
    program, option, script = shlex.split(line(["python", "-c", "print('a b')"], WORD, terminal=True))
    assert (program, option) == ("sh", "-c")
    command = shlex.join(["python", "-c", "print('a b')"])
    begin, end = r"printf '\0361f0a:\036'", r"printf '\0361f0a:%d\036' $?"
    assert script == f"trap : INT; {begin}; {command}; {end}"


def test_without_a_terminal_nothing_is_echoed_and_without_a_command_there_is_a_shell() -> None:
    assert "stty -echo -opost" in line(["true"], WORD, terminal=False)
    assert "stty" not in line(["true"], WORD, terminal=True)
    assert "bash" in line([], WORD, terminal=True)
