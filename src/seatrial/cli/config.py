"""``seatrial config``: what the file says once an environment is laid over it, and its schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seatrial.cli.output import ConfigOption, JsonOption, Output

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Look at the configuration.")


@app.command()
def show(
    environment: Annotated[
        str, typer.Option("--environment", "-e", help="Name of an [environments.NAME].", show_default=True)
    ] = "local",
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Print the configuration of one environment, overlays merged and defaults filled in.

    Example: seatrial config show --environment production
    """
    from seatrial.config.load import load

    settings = load(Path(config), environment)
    data = settings.model_dump(mode="json", by_alias=True)
    data["environments"] = {data.pop("name"): data.pop("target")}
    Output(as_json=as_json).result(data, text=_as_toml(data))


@app.command()
def schema() -> None:
    """Print the JSON Schema of seatrial.toml, for completion and checks in an editor.

    Example: seatrial config schema > seatrial.schema.json, then put this line at the top of seatrial.toml:
    #:schema ./seatrial.schema.json
    """
    from seatrial.config.schema import json_schema

    Output(as_json=True).result(json_schema())


@app.command()
def reference() -> None:
    """Print the reference of every table and key as Markdown."""
    from seatrial.config.schema import reference as page

    typer.echo(page(), nl=False)


def _as_toml(data: dict[str, Any]) -> str:
    """Return the merged settings as TOML that reads like the file a person would have written."""
    import tomli_w

    return tomli_w.dumps(_written(data))


def _written(value: Any) -> Any:
    """Return the value without what TOML has no word for (None) and without empty tables."""
    if isinstance(value, dict):
        kept = {key: _written(each) for key, each in value.items() if each is not None}
        return {key: each for key, each in kept.items() if each != {}}
    return [_written(each) for each in value] if isinstance(value, list) else value
