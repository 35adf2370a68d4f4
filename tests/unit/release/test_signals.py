"""Ctrl-C and SIGTERM as choices, and how an outcome becomes an exit code."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import typer

from seatrial.cli import releasing
from seatrial.cli.output import Output
from seatrial.cli.releasing import Signals, finish
from seatrial.release.causes import Cause
from seatrial.release.interrupt import Choice
from seatrial.release.outcome import EXIT_CODES, Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

AT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[Signals]:
    monkeypatch.setattr(Output, "interactive", True)
    with Signals(Output(), "Going on.") as it:
        yield it


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        ("g", Choice.GO_ON),
        ("", Choice.GO_ON),
        ("r", Choice.ROLL_BACK),
        ("roll back", Choice.ROLL_BACK),
        ("s", Choice.STOP_WATCHING),
        ("?", Choice.GO_ON),
    ],
)
def test_a_person_is_asked(signals: Signals, monkeypatch: pytest.MonkeyPatch, answer: str, choice: Choice) -> None:
    monkeypatch.setattr(releasing, "_asked", lambda _question: answer)
    assert signals.poll() is Choice.GO_ON
    os.kill(os.getpid(), signal.SIGINT)
    assert signals.poll() is choice
    assert signals.poll() is Choice.GO_ON


def test_ctrl_c_at_the_question_turns_back(signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(_question: str) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return ""

    monkeypatch.setattr(releasing, "_asked", asked)
    os.kill(os.getpid(), signal.SIGINT)
    assert signals.poll() is Choice.ROLL_BACK


def test_sigterm_asks_nobody(signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "_asked", pytest.fail)
    os.kill(os.getpid(), signal.SIGTERM)
    assert signals.poll() is Choice.ROLL_BACK


def test_without_a_terminal_ctrl_c_turns_back() -> None:
    with Signals(Output(as_json=True), "Going on.") as signals:
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.poll() is Choice.ROLL_BACK


def test_where_nothing_was_changed_it_simply_ends(signals: Signals) -> None:
    with pytest.raises(KeyboardInterrupt), signals.abortable():
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), signals.abortable():
        pytest.fail("an interrupt from before must not be forgotten")


def test_the_handlers_before_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Signals(Output(), "Going on."):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(("result", "code"), [*EXIT_CODES.items()])
def test_each_result_has_its_exit_code_and_json(result: Result, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome(
        environment="production",
        result=result,
        version="abc",
        digest=None,
        number=3,
        started_at=AT,
        duration_s=61.0,
        message="it is so",
        hint="do that",
        causes=(Cause("rule", "the text", "the advice"),),
        details=("| log line",),
    )
    if code:
        with pytest.raises(typer.Exit) as caught:
            finish(Output(as_json=True), outcome)
        assert caught.value.exit_code == code
    else:
        finish(Output(as_json=True), outcome)
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert (document["result"], document["exit_code"]) == (result, code)
    if code:
        for words in ("it is so", "the text", "the advice", "| log line", "do that"):
            assert words in printed.err
