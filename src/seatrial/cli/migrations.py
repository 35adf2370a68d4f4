"""``seatrial migrations``: what the pending ones would do to the version that is still serving."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.output import ConfigOption, JsonOption, Output

if TYPE_CHECKING:
    from seatrial.project.migrations.verdict import Verdict

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def _migrations() -> None:
    """Look at the migrations that a release would apply."""


@app.command()
def check(
    environment: Annotated[
        str | None, typer.Argument(help="Name of an [environments.NAME] in seatrial.toml.", show_default=False)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Take as applied what this git revision has; neither AWS nor a database is asked."),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Git revision to look at instead of the working tree.")] = None,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Name each pending operation, its class, the reason, and the way out of what would break the version serving.

    Exit codes: 0 nothing refuses a release; 2 something does, or the project could not be asked.

    Examples: seatrial migrations check production; seatrial migrations check --since origin/main
    """
    from seatrial.errors import UsageError

    if (environment is None) == (since is None):
        raise UsageError("name an environment, or a git revision with --since")
    output = Output(as_json=as_json)
    verdict = _since(config, since, revision) if since else _of(config, str(environment), revision, output)
    output.result(verdict.to_json(), text="\n".join(verdict.lines()))
    if verdict.refused:
        raise typer.Exit(2)


def _since(config: str, since: str, revision: str | None) -> Verdict:
    from seatrial.aws.clock import SystemClock
    from seatrial.config.load import load
    from seatrial.release.migrations import check_since
    from seatrial.release.source import files

    settings, root = load(Path(config), "local"), Path(config).resolve().parent
    return check_since(
        settings, root, files(settings, root, since), files(settings, root, revision), SystemClock().now()
    )


def _of(config: str, environment: str, revision: str | None, output: Output) -> Verdict:
    from seatrial.cli.releasing import opened, printer
    from seatrial.release.migrations import check_environment

    settings, root, aws = opened(config, environment)
    return check_environment(settings, root, aws, revision, printer(output))
