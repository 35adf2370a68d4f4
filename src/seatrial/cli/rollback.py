"""``seatrial rollback``: go back to an earlier release."""

from __future__ import annotations

from typing import Annotated

import typer

from seatrial.cli.deploy import TakeOverOption, YesOption  # noqa: TC001 - typer reads annotations at run time
from seatrial.cli.output import ConfigOption, EnvironmentArgument, JsonOption, Output

app = typer.Typer(add_completion=False)


@app.command()
def rollback(
    environment: EnvironmentArgument,
    to: Annotated[int | None, typer.Option(help="Number of the release; the one before the live one if unset.")] = None,
    yes: YesOption = False,
    take_over: TakeOverOption = False,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Put the revisions of an earlier release back: fast, while the tasks of before still run.

    Migrations are not taken back, and no gate task is run. What the older code could not live with refuses the
    rollback. A release that was killed holds its lock: --take-over. Exit codes as for deploy.

    Example: seatrial rollback production --to 12
    """
    from seatrial import release
    from seatrial.cli.releasing import Signals, confirmation, finish, opened, printer

    output = Output(as_json=as_json)
    settings, root, aws = opened(config, environment)
    with Signals(output, f"The rollback of {environment} is under way; ECS goes on with what it was told.") as signals:
        outcome = release.rollback(
            settings,
            root,
            aws,
            to=to,
            on_event=printer(output),
            interrupt=signals,
            take_over=take_over,
            confirm=confirmation(output, settings, yes=yes),
        )
    finish(output, outcome)
