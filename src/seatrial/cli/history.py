"""``seatrial history``: the releases of an environment, or of all, from their logs."""

from __future__ import annotations

from typing import Annotated

import typer

from seatrial.cli.output import ConfigOption, JsonOption, Output

app = typer.Typer(add_completion=False)


@app.command()
def history(
    environment: Annotated[
        str | None, typer.Argument(help="Name of an [environments.NAME] in seatrial.toml; all of them if unset.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many releases of each environment.")] = 20,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Print who released what, when, and how it ended, the newest first. --json has every logged event too.

    Example: seatrial history production --json
    """
    from pathlib import Path

    from seatrial.cli.releasing import opened
    from seatrial.config.load import environments
    from seatrial.errors import SeatrialError
    from seatrial.release.journal.history import Entry, as_text
    from seatrial.release.journal.history import history as read

    output = Output(as_json=as_json)
    found: list[Entry] = []
    for name in [environment] if environment else environments(Path(config)):
        try:
            settings, _, aws = opened(config, name)
            found += read(settings, aws, limit=limit)
        except SeatrialError as error:
            if environment:
                raise
            output.say(f"note: {name}: {error.message}", style="dim")
    found.sort(key=lambda each: each.at, reverse=True)
    output.result({"releases": [each.to_json() for each in found]}, text=as_text(found))
