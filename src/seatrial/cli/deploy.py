"""``seatrial deploy``: release the project to an environment."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.output import ConfigOption, EnvironmentArgument, JsonOption, Output

if TYPE_CHECKING:
    from seatrial.release.api import Part

app = typer.Typer(add_completion=False)


class Only(StrEnum):
    """What a release is confined to."""

    SITE = "site"
    SERVICES = "services"

    @property
    def part(self) -> Part:
        """The same for the library."""
        return "site" if self is Only.SITE else "services"


OnlyOption = Annotated[Only | None, typer.Option("--only", help="Release only the site, or only the services.")]
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
    only: OnlyOption = None,
    yes: YesOption = False,
    take_over: TakeOverOption = False,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Build image and site, run the gate tasks, roll the services out, one after the other, and publish the site.

    Exit codes: 0 released; 1 failed or turned back, and the old version is serving; 2 the request is wrong and nothing
    was changed; 3 a person must look (or chose to stop watching).

    Example: seatrial deploy production --revision v1.4.0
    """
    from seatrial import release
    from seatrial.cli.releasing import Signals, confirmation, finish, opened, printer
    from seatrial.errors import UsageError

    if revision is not None and image is not None:
        raise UsageError("--revision builds an image and --image takes one that is there; give one of them")
    if only is Only.SITE and image is not None:
        raise UsageError("--image is of the services, and --only site leaves them alone; give one of them")
    output = Output(as_json=as_json)
    settings, root, aws = opened(config, environment)
    with Signals(output, f"The release to {environment} is under way; ECS goes on with what it was told.") as signals:
        outcome = release.deploy(
            settings,
            root,
            aws,
            revision=revision,
            image=image,
            only=only.part if only else None,
            on_event=printer(output),
            interrupt=signals,
            take_over=take_over,
            confirm=confirmation(output, settings, yes=yes),
        )
    finish(output, outcome)
