"""``seatrial rehearse``: a release on this machine, under load, and its report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import typer

from seatrial.cli.output import ConfigOption, JsonOption, Output

if TYPE_CHECKING:
    from rich.status import Status

    from seatrial.rehearsal.load import Counts

app = typer.Typer(add_completion=False)


@app.command()
def rehearse(
    environment: Annotated[str, typer.Option("--environment", "-e", help="The environment to rehearse.")] = "local",
    old: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="REVISION|ENVIRONMENT",
            help="What to release first: a git revision, or what an environment runs by its release record.",
            show_default=False,
        ),
    ] = None,
    as_: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="ENVIRONMENT",
            help="Release as this one is released: by its strategy, with its smoke checks.",
            show_default="--from, if that is an environment",
        ),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=1, max=5000, help="Requests per second.", show_default="rehearsal.rate")
    ] = None,
    fault: Annotated[
        bool, typer.Option("--fault/--no-fault", help="Also release a version that is broken on purpose.")
    ] = True,
    runtime: Annotated[
        Literal["auto", "process", "docker"], typer.Option(help="What tasks run in: plain processes or containers.")
    ] = "process",
    proxy: Annotated[Literal["auto", "envoy", "builtin"], typer.Option(help="What carries the traffic.")] = "auto",
    time_scale: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=1,
            help="How AWS's own waits are scaled; 1 is AWS's pace.",
            show_default="0.05, less for long bake times",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="DIRECTORY", help="Where to write the report.", show_default=False)
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every line of the releases.")] = False,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Release the working tree over the old version on an AWS that runs here, under load, and judge it.

    Nothing reaches AWS and no account is needed. Exit codes: 0 ready; 1 not ready; 2 something was wrong before.

    Examples: seatrial rehearse --from v1.4.2 --rate 500; seatrial rehearse --as production
    """
    from seatrial.rehearsal.manner import manner, other_strategies, released_as
    from seatrial.rehearsal.released import old_version
    from seatrial.rehearsal.scenario import Wishes, rehearse

    output = Output(as_json=as_json)
    path = Path(config)
    settings, theirs = released_as(path, environment, as_, old)
    how = manner(settings, theirs)
    output.say(f"released {how.sentence}")
    if as_ is None:
        for line in other_strategies(path, how):
            output.say(line)
    with Telling(output, verbose=verbose) as narrator:
        revision, why = old_version(path, settings, old)
        narrator.line(why)
        wishes = Wishes(revision, rate, fault, runtime, proxy, time_scale, theirs, report)
        rehearsed = rehearse(settings, path, wishes, narrator)
    verdict = rehearsed.verdict
    output.result(
        {"ready": verdict.ready, "sentence": verdict.sentence, "against": list(verdict.against)}
        | {"as": how.environment, "strategy": how.strategy}
        | {"report": str(rehearsed.page), "data": str(rehearsed.data)},
        text=f"{verdict.sentence}\n\nreport: {rehearsed.page}",
    )
    if not verdict.ready:
        raise typer.Exit(1)


class Telling:
    """Stages as lines; on a terminal the present detail and the load beside a spinner."""

    def __init__(self, output: Output, *, verbose: bool) -> None:
        self._output = output
        self._verbose = verbose
        self._status: Status | None = None
        self._detail, self._counts = "", ""

    def __enter__(self) -> Self:
        """Begin to tell."""
        if sys.stderr.isatty() and not self._verbose:
            self._status = self._output.console.status("")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the spinner away."""
        if self._status is not None:
            self._status.stop()

    def stage(self, title: str) -> None:
        """Tell that a part of the rehearsal begins."""
        self._detail = ""
        self._output.say(f"• {title}")
        self._show()

    def line(self, text: str) -> None:
        """Tell a detail."""
        if self._verbose:
            self._output.say(f"  {text}")
        self._detail = text.strip()
        self._show()

    def load(self, counts: Counts) -> None:
        """Tell how the load is doing."""
        self._counts = f"{counts.done:,} answered, {counts.failed:,} failed"
        self._show()

    def _show(self) -> None:
        if self._status is not None:
            from rich.markup import escape

            self._status.update(escape(" | ".join(filter(None, [self._counts, self._detail]))[:160]))
