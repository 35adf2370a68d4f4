"""``python -m bench [NAME...]``: measure, print, and write the results into ``bench/README.md``."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench import commands, machine, memory, peer, release, startup, synth
from bench.report import write
from bench.stage import ROOT, Stage, copied, say, scratch, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.report import Result

#: In the order in which they run: memory before what makes the emulator busy.
_ALONE: dict[str, Callable[[], Result]] = {"startup": startup.measure, "synth": synth.measure}
_ON_A_STAGE: dict[str, Callable[[Stage], Result]] = {
    "memory": memory.measure,
    "commands": commands.measure,
    "release": release.measure,
    "peer": peer.measure,
}


def main() -> None:
    """Measure what is asked for. Whatever ends it, its emulators are stopped."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"one of {', '.join(_ALONE | _ON_A_STAGE)}; all of them unless given")
    wanted = parser.parse_args().name or [*_ALONE, *_ON_A_STAGE]
    if unknown := set(wanted) - {*_ALONE, *_ON_A_STAGE}:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    where = machine.described(ROOT)
    for name, measure in _ALONE.items():
        if name in wanted:
            _report(name, measure(), where)
    if any(name in wanted for name in _ON_A_STAGE):
        with ExitStack() as stack:
            stage = _stage(stack)
            for name, measure_on in _ON_A_STAGE.items():
                if name in wanted:
                    _report(name, measure_on(stage), where)


def _stage(stack: ExitStack) -> Stage:
    """Return the example, released on an emulator that is stopped with ``stack``."""
    say("releasing the example on an emulator")
    directory = stack.enter_context(scratch())
    stage = stack.enter_context(started(copied(directory / "project")))
    stage.apply()
    stage.deploy()
    return stage


def _report(name: str, result: Result, where: str) -> None:
    text = f"{result.markdown()}\n\n{where}"
    write(ROOT / "bench" / "README.md", name, text)
    say(f"{name}: written to bench/README.md\n\n{text}\n")


if __name__ == "__main__":
    main()
