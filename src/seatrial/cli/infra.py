"""``seatrial infra``: create and update an environment's stacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatrial.cli.output import ConfigOption, EnvironmentArgument, JsonOption, Output
from seatrial.errors import UsageError

if TYPE_CHECKING:
    from seatrial.infra import Applied
    from seatrial.infra.changes import Planned

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Create or update an environment's infrastructure.")


@app.callback()
def _group() -> None:
    """Create or update an environment's infrastructure."""


@app.command()
def apply(
    environment: EnvironmentArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Carry changes out without asking.")] = False,
    replace: Annotated[
        list[str] | None,
        typer.Option(
            "--replace",
            metavar="NAME",
            help="Logical name of a database or bucket that may be lost, or of a service in use.",
        ),
    ] = None,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Bring the environment's stacks to what seatrial.toml says, after showing what would change.

    Releases are not part of it: a change of the infrastructure restarts no service by itself.

    Example: seatrial infra apply production
    """
    from seatrial import infra
    from seatrial.aws.session import Aws
    from seatrial.config.load import load

    output = Output(as_json=as_json)
    path = Path(config)
    settings = load(path, environment)
    aws = Aws.for_environment(settings, path.resolve().parent)

    def approve(stack: str, changes: tuple[Planned, ...]) -> bool:
        output.say(f"{stack}:")
        for change in changes:
            output.say(f"  {change}")
        if yes or settings.target.cloud == "emulator":
            return True
        if not output.interactive:
            raise UsageError(f"nobody is there to confirm the change of {stack}", hint="look at it, then add --yes")
        return typer.confirm("Carry this out?", err=True)

    applied = infra.apply(settings, aws, output.say, approve=approve, replace=frozenset(replace or ()))
    output.result(_as_json(applied), text=_as_text(applied))


def _as_json(applied: Applied) -> dict[str, object]:
    return {
        "stacks": [
            {
                "stack": outcome.stack,
                "action": outcome.action,
                "changes": [
                    {
                        "path": each.path,
                        "type": each.change.type,
                        "action": each.change.action,
                        "replacement": each.change.replacement,
                        "properties": list(each.change.properties),
                    }
                    for each in outcome.changes
                ],
            }
            for outcome in applied.stacks
        ],
        "outputs": dict(applied.outputs),
    }


def _as_text(applied: Applied) -> str:
    lines = [f"{outcome.stack}: {outcome.action}" for outcome in applied.stacks]
    url = applied.outputs.get("Url")
    return "\n".join([*lines, *([f"it will answer at {url}"] if url else [])])
