"""``seatrial promote``: release to one environment what another one runs."""

from __future__ import annotations

from typing import Annotated

import typer

from seatrial.cli.deploy import TakeOverOption, YesOption  # noqa: TC001 - typer reads annotations at run time
from seatrial.cli.output import ConfigOption, JsonOption, Output

app = typer.Typer(add_completion=False)


@app.command()
def promote(
    source: Annotated[str, typer.Argument(help="Name of the environment whose version is released.")],
    environment: Annotated[str, typer.Argument(help="Name of the environment it is released to.")],
    yes: YesOption = False,
    take_over: TakeOverOption = False,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Release to ENVIRONMENT the very image that SOURCE runs, by its release record. Nothing is built.

    Exit codes as for deploy.

    Example: seatrial promote staging production
    """
    from seatrial import release
    from seatrial.cli.releasing import Signals, confirmation, finish, opened, printer

    output = Output(as_json=as_json)
    source_settings, _, source_aws = opened(config, source)
    settings, root, aws = opened(config, environment)
    with Signals(output, f"The promotion to {environment} is under way; ECS goes on with what it was told.") as signals:
        outcome = release.promote(
            source_settings,
            settings,
            root,
            source_aws,
            aws,
            on_event=printer(output),
            interrupt=signals,
            take_over=take_over,
            confirm=confirmation(output, settings, yes=yes),
        )
    finish(output, outcome)
