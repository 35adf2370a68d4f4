"""``seatrial exec``: a shell, or a command, in a running task."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from seatrial.cli.output import ConfigOption, EnvironmentArgument, JsonOption, Output

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def exec_(
    environment: EnvironmentArgument,
    service: Annotated[str, typer.Argument(help="Name of a [services.NAME].")],
    command: Annotated[list[str] | None, typer.Argument(metavar="[-- COMMAND...]", help="Else a shell.")] = None,
    task: Annotated[str | None, typer.Option(help="Beginning of a task's id; else the newest one.")] = None,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Open a shell, or run a command, in a running task of a service (ECS Exec).

    Ends with the command's own exit code, as ssh does; 2 if it cannot be asked for, 3 if it came to no exit code. What
    is piped in is typed. --json collects the output and takes no input.

    `exec = true` in [services.NAME] or [environments.NAME] turns it on, with `seatrial infra apply` and a release.

    Examples: seatrial exec production web -- python manage.py shell; seatrial exec staging worker
    """
    from seatrial.aws.clock import SystemClock
    from seatrial.cli.releasing import opened
    from seatrial.cli.terminal import handed_over
    from seatrial.release.shell import start

    output = Output(as_json=as_json)
    settings, _, aws = opened(config, environment)
    raw = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    started = start(settings, aws, service, command=command or (), task=task, terminal=raw, clock=SystemClock())
    written = bytearray()
    with started.channel as channel:
        if as_json:
            for text in channel.text():
                written += started.ending.shown(text)
        else:
            with handed_over(channel, raw=raw) as look:
                for text in channel.text():
                    sys.stdout.buffer.write(started.ending.shown(text))
                    sys.stdout.buffer.flush()
                    if started.ending.begun:
                        look()
    found = started.ending.exit_code
    if found is None:
        output.say("error: the command came to no exit code: its task or its shell has ended", style="bold red")
    code = 3 if found is None else found
    if as_json:
        output.result(
            {
                "task": started.task.id,
                "container": started.container,
                "command_exit_code": found,
                "exit_code": code,
                "output": written.decode(errors="replace"),
            }
        )
    if code:
        raise typer.Exit(code)
