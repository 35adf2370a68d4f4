"""``seatrial status``: what an environment is running and how it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.output import ConfigOption, EnvironmentArgument, JsonOption, Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.release.status import Status

app = typer.Typer(add_completion=False)

#: Seconds between two looks, as a multiple of the pause that AWS's rate limits ask for: a look is a dozen calls.
_PACES = 2.5


@app.command()
def status(
    environment: EnvironmentArgument,
    watch: Annotated[bool, typer.Option("--watch", help="Go on looking, until Ctrl-C.")] = False,
    migrations: Annotated[
        bool, typer.Option("--migrations", help="Have a task on the live image ask which migrations are pending.")
    ] = False,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Print services with version, tasks, health and traffic, what is not as released, releases, and who releases.

    --watch shows it again and again on a terminal, and elsewhere a line for each change. Which migrations are pending
    only the database knows: --migrations starts a task, which needs more than the read-only role.

    Example: seatrial status production --watch
    """
    from seatrial.aws.clock import SystemClock
    from seatrial.cli.releasing import opened
    from seatrial.errors import UsageError
    from seatrial.release.status import as_text
    from seatrial.release.status import status as found

    if watch and as_json:
        raise UsageError("--json is one document and --watch goes on; give one of them")
    if watch and migrations:
        raise UsageError("--migrations starts a task, and --watch looks again and again; give one of them")
    settings, _, aws = opened(config, environment)
    clock = SystemClock()
    output = Output(as_json=as_json)
    if watch:
        _watch(lambda: found(settings, aws, clock), lambda: clock.sleep(aws.pace * _PACES), output)
        return
    now = found(settings, aws, clock, ask=output.say if migrations else None)
    output.result(now.to_json(), text=as_text(now))


def _watch(look: Callable[[], Status], pause: Callable[[], None], output: Output) -> None:
    """Look until Ctrl-C, which ends it well. A look that fails is told, unless it is the first."""
    from seatrial.errors import SeatrialError
    from seatrial.release.status import as_lines, as_text

    shown: dict[str, str] = {}
    try:
        now = look()
        while True:
            if sys.stdout.isatty():
                output.result({}, text=f"\x1b[H\x1b[2J{as_text(now)}")  # home, and clear the screen: ECMA-48
            else:
                lines = as_lines(now)
                for name, line in lines.items():
                    if shown.get(name) != line:
                        output.result({}, text=line)
                shown = lines
            pause()
            try:
                now = look()
            except SeatrialError as error:
                output.say(f"note: {error.message}", style="dim")
    except KeyboardInterrupt:
        return
