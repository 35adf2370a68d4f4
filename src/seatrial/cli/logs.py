"""``seatrial logs``: the logs of a service, task or job."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from seatrial.cli.output import ConfigOption, EnvironmentArgument, JsonOption, Output

app = typer.Typer(add_completion=False)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@app.command()
def logs(
    environment: EnvironmentArgument,
    unit: Annotated[str, typer.Argument(help="Name of a service, task or job.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(help="How far back: 30s, 10m, 2h or 1d.")] = "10m",
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Print what the containers of a unit wrote, oldest first.

    Example: seatrial logs production web --since 1h --follow
    """
    from seatrial.aws.clock import SystemClock
    from seatrial.cli.releasing import opened
    from seatrial.errors import UsageError
    from seatrial.release.logs import lines

    match = re.fullmatch(r"(\d+)([smhd])", since)
    if match is None:
        raise UsageError(f"--since {since} is no duration", hint="write 30s, 10m, 2h or 1d")
    if follow and as_json:
        raise UsageError("--follow never ends, so it cannot end in one JSON object")
    output = Output(as_json=as_json)
    settings, _, aws = opened(config, environment)
    seconds = int(match[1]) * _UNITS[match[2]]
    found = []
    try:
        for line in lines(settings, aws, unit, seconds=seconds, follow=follow, clock=SystemClock()):
            if as_json:
                found.append({"at": line.at.isoformat(), "stream": line.stream, "text": line.text})
            else:
                output.result({}, text=f"{line.at:%H:%M:%S} {line.stream.rpartition('/')[2][:8]} {line.text}")
    except KeyboardInterrupt:
        return
    if as_json:
        output.result({"unit": unit, "lines": found})
