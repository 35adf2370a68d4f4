"""``seatrial synth``: the infrastructure as CloudFormation templates that a team can read, review and own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seatrial.cli.output import ConfigOption, JsonOption, Output

app = typer.Typer(add_completion=False)


@app.command()
def synth(
    environment: Annotated[
        list[str] | None, typer.Option("--environment", "-e", help="Name of an environment; all of them unless given.")
    ] = None,
    directory: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where to write; cloudformation/ENV/ is made in it.")
    ] = Path("infra"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if the files are not what would be written.")
    ] = False,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Write the CloudFormation templates of the environments, and say what changed.

    Example: seatrial synth -e production && git diff infra
    """
    from seatrial.config.load import environments, load
    from seatrial.iac.cloudformation.files import compare, rendered, write
    from seatrial.stack.gaps import gaps

    output = Output(as_json=as_json)
    path = Path(config)
    names = tuple(environment or environments(path))
    settings = {name: load(path, name) for name in names}
    for name, each in settings.items():
        for gap in gaps(each):
            output.say(f"note: {name}: {gap}")
    wanted = {
        f"cloudformation/{name}/{file}": text
        for name, each in settings.items()
        for file, text in rendered(each).items()
    }
    owned = tuple(f"cloudformation/{name}" for name in names)
    difference = compare(directory, wanted, owned)
    if not check:
        write(directory, wanted, difference)
    lines = [f"{what} {directory / file}" for what, files in difference.groups() for file in files]
    data = {what: [str(directory / file) for file in files] for what, files in difference.groups()}
    output.result(
        {**data, "written": not check},
        text="\n".join(lines) or f"{len(wanted)} files in {directory} are up to date",
    )
    if check and difference:
        raise typer.Exit(1)
