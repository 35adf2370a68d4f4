"""``seatrial status``: what an environment is running and how it is."""

from __future__ import annotations

import typer

from seatrial.cli.output import ConfigOption, EnvironmentArgument, JsonOption, Output

app = typer.Typer(add_completion=False)


@app.command()
def status(
    environment: EnvironmentArgument, config: ConfigOption = "seatrial.toml", as_json: JsonOption = False
) -> None:
    """Print services with their version, tasks and health, the last releases, and who is releasing now.

    Example: seatrial status production
    """
    from seatrial.aws.clock import SystemClock
    from seatrial.cli.releasing import opened
    from seatrial.release.status import as_text
    from seatrial.release.status import status as found

    settings, _, aws = opened(config, environment)
    now = found(settings, aws, SystemClock())
    Output(as_json=as_json).result(now.to_json(), text=as_text(now))
