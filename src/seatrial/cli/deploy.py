"""``seatrial deploy``: release the project to an environment."""

from __future__ import annotations

from typing import Annotated

import typer

from seatrial.cli.output import ConfigOption, EnvironmentArgument, JsonOption, Output

app = typer.Typer(add_completion=False)

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
TakeOverOption = Annotated[
    bool,
    typer.Option(
        "--take-over", help="Take the release lock from whoever holds it, and go on top of a deployment under way."
    ),
]


@app.command()
def deploy(
    environment: EnvironmentArgument,
    revision: Annotated[str | None, typer.Option(help="Git revision to release instead of the working tree.")] = None,
    image: Annotated[str | None, typer.Option(help="Digest (sha256:...) of an image in ECR to release.")] = None,
    yes: YesOption = False,
    take_over: TakeOverOption = False,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Build the image, run the gate tasks, and roll the services out, one after the other.

    Exit codes: 0 released; 1 failed or turned back, and the old version is serving; 2 the request is wrong and nothing
    was changed; 3 a person must look (or chose to stop watching).

    Example: seatrial deploy production --revision v1.4.0
    """
    from seatrial import release
    from seatrial.cli.releasing import Signals, confirmation, finish, opened, printer
    from seatrial.errors import UsageError

    if revision is not None and image is not None:
        raise UsageError("--revision builds an image and --image takes one that is there; give one of them")
    output = Output(as_json=as_json)
    settings, root, aws = opened(config, environment)
    with Signals(output, f"The release to {environment} is under way; ECS goes on with what it was told.") as signals:
        outcome = release.deploy(
            settings,
            root,
            aws,
            revision=revision,
            image=image,
            on_event=printer(output),
            interrupt=signals,
            take_over=take_over,
            confirm=confirmation(output, settings, yes=yes),
        )
    finish(output, outcome)
