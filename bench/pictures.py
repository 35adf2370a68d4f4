"""``python -m bench.pictures [STRATEGY...]``: release the example by each strategy and draw ``docs/pictures``.

Each picture is of one rehearsal: the example application is released on the emulator under requests. It is drawn from
what ECS and the clients said, so it differs a little from run to run.
"""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING

from bench.drawing import draw
from bench.stage import ROOT, copied, say, scratch, settings_of
from seatrial.rehearsal.manner import manner
from seatrial.rehearsal.scenario import Wishes, rehearse

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.rehearsal.load import Counts

PICTURES = ROOT / "docs" / "pictures"
TIME_SCALE = 0.05

#: The strategies as they stand in ``seatrial.toml``. Another one needs a line here, and its picture in the page.
STRATEGIES = {
    "rolling": '{ type = "rolling" }',
    "blue_green": '{ type = "blue_green", bake = "2m" }',
    "canary": '{ type = "canary", percent = 20, interval = "2m", bake = "2m" }',
    "linear": '{ type = "linear", percent = 25, interval = "1m", bake = "2m" }',
    "codedeploy": '{ type = "codedeploy", traffic = "canary", percent = 20, interval = "2m", wait = "2m", '
    "test_port = 9443 }",
}
_SMOKE = '\n[smoke.home]\npath = "/"\n'
_LOCAL = "[environments.local]\n"


class Said:
    """Tells what a rehearsal is doing."""

    def stage(self, title: str) -> None:
        """Tell a part of it."""
        say(title)

    def line(self, text: str) -> None:
        """Leave details out."""

    def load(self, counts: Counts) -> None:
        """Leave the load out."""


def main() -> None:
    """Draw the pictures that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=__doc__)
    parser.add_argument("strategy", nargs="*", help=f"one of {', '.join(STRATEGIES)}; all of them unless given")
    wanted = parser.parse_args().strategy or list(STRATEGIES)
    if unknown := set(wanted) - set(STRATEGIES):
        parser.error(f"no such strategy: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    PICTURES.mkdir(exist_ok=True)
    for strategy in wanted:
        with scratch() as directory:
            path = PICTURES / f"{strategy}.svg"
            path.write_text(picture(directory / "project", strategy), encoding="utf-8")
            say(f"{strategy}: {path.relative_to(ROOT)}")


def picture(project: Path, strategy: str) -> str:
    """Release the example by the strategy and return the picture. Raises ``RuntimeError`` where it is not ready."""
    copied(project)
    toml = project / "seatrial.toml"
    text = toml.read_text(encoding="utf-8") + _SMOKE
    toml.write_text(text.replace(_LOCAL, f"{_LOCAL}strategy = {STRATEGIES[strategy]}\n"), encoding="utf-8")
    settings = settings_of(project)
    rehearsed = rehearse(settings, project / "seatrial.toml", Wishes(fault=False, time_scale=TIME_SCALE), Said())
    if not rehearsed.verdict.ready:
        raise RuntimeError(rehearsed.verdict.sentence)
    how = manner(settings)
    compressed = how.compressed(TIME_SCALE) or "AWS's own waits took a twentieth of their time"
    return draw(
        rehearsed.timeline,
        f"A {strategy} release over time",
        f"strategy = {STRATEGIES[strategy]}; {compressed}; {rehearsed.timeline.requests} requests, "
        f"{rehearsed.timeline.failed} failed",
    )


if __name__ == "__main__":
    main()
