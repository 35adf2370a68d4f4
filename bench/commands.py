"""What a person waits for at the terminal: ``--help``, ``--version`` and ``plan``, against their like."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.report import Result, Table, median, ratio, seconds
from bench.stage import ENVIRONMENT, NAME, ROOT, say
from bench.timing import Program, in_turns

if TYPE_CHECKING:
    from bench.stage import Stage

ROUNDS = 7
_BIN = ROOT / ".venv" / "bin"


def measure(stage: Stage) -> Result:
    """Time the commands on a project that is released."""
    say(f"commands: {ROUNDS} rounds, after one for warming up")
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "emulator")
    environment = {
        **keys,
        "SEATRIAL_EMULATOR": NAME,
        "AWS_ENDPOINT_URL": stage.info.endpoint,
        "AWS_REGION": stage.info.region,
        "AWS_DEFAULT_REGION": stage.info.region,
    }

    def program(*command: str) -> Program:
        return Program(command, stage.project, environment)

    floors = {
        "`python -c pass`": program(sys.executable, "-c", "pass"),
        '`python -c "import boto3"`': program(sys.executable, "-c", "import boto3"),
        "`ecs --help` (ecs-deploy)": program(str(_BIN / "ecs"), "--help"),
        "`aws --version`": program(str(_BIN / "aws"), "--version"),
        "`aws sts get-caller-identity`, one call": program(str(_BIN / "aws"), "sts", "get-caller-identity"),
    }
    seatrial = str(_BIN / "seatrial")
    measured = {
        "`seatrial --version`": (program(seatrial, "--version"), "`aws --version`"),
        "`seatrial --help`": (program(seatrial, "--help"), "`ecs --help` (ecs-deploy)"),
        f"`seatrial plan {ENVIRONMENT}`": (
            program(seatrial, "plan", ENVIRONMENT),
            "`aws sts get-caller-identity`, one call",
        ),
    }
    times = in_turns(floors | {name: each for name, (each, _) in measured.items()}, ROUNDS)
    start = times["`python -c pass`"].median
    peers = dict.fromkeys(floors, "") | {name: peer for name, (_, peer) in measured.items()}
    rows = []
    for name in (*measured, *floors):
        each, peer = times[name], peers[name]
        rows.append(
            (
                name,
                seconds(each.wall),
                f"{median(each.cpu):.2f} s",
                ratio(each.median, start),
                f"{ratio(each.median, times[peer].median)} times {peer}" if peer else "",
            )
        )
    columns = ("program", "time", "processor time", "time ÷ `python -c pass`", "against its peer")
    return Result((Table(columns, tuple(rows)),), f"{ROUNDS} runs each, in turns.")
