"""``seatrial emulator``: AWS on this machine, started, looked at and stopped."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from seatrial.cli.output import JsonOption, Output

if TYPE_CHECKING:
    from rich.table import Table

    from seatrial.emulator.state import EmulatorInfo

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="AWS on this machine: start it, look at it, stop it."
)

NameOption = Annotated[
    str,
    typer.Option("--name", "-n", envvar="SEATRIAL_EMULATOR", help="Which one; a project may run several side by side."),
]
ProjectOption = Annotated[
    Path, typer.Option("--project", help="Project directory; the emulator's state is in its .seatrial/.", metavar="DIR")
]


@app.command()
def start(
    name: NameOption = "local",
    project: ProjectOption = Path(),
    port: Annotated[
        int | None, typer.Option(help="Port on 127.0.0.1. Default: the first free one from 4566 up.", min=1, max=65535)
    ] = None,
    runtime: Annotated[
        Literal["auto", "process", "docker"],
        typer.Option(help="What tasks run in. auto: containers where a Docker engine answers, else plain processes."),
    ] = "auto",
    proxy: Annotated[
        Literal["auto", "envoy", "builtin"], typer.Option(help="What carries the load balancers' traffic.")
    ] = "auto",
    time_scale: Annotated[
        float | None,
        typer.Option(
            help="Factor on waits that AWS imposes: 0.1 is ten times AWS's pace. Default: 1.", metavar="FACTOR"
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Find databases, caches, buckets and images again as the last run left them.")
    ] = False,
    region: Annotated[str | None, typer.Option(help="The region it plays. Default: eu-west-1.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Start an emulator in the background and wait until it is ready.

    Any AWS client can use it through its endpoint; credentials are not checked.

    Examples:
      seatrial emulator start

      eval "$(seatrial emulator start)" && aws ecs list-clusters

      seatrial emulator start --name fast --time-scale 0.1 --keep

    """
    from seatrial.emulator import process

    output = Output(as_json=as_json)
    info = process.start(
        name,
        project,
        port=port,
        runtime=runtime,
        proxy=proxy,
        time_scale=time_scale,
        keep=keep or None,
        region=region,
        progress=lambda stage: output.say(f"emulator {name}: {stage}"),
    )
    output.say(f"emulator {name}: ready at {info.endpoint} (process {info.pid}, runtime {info.runtime})")
    output.result(info.to_json(), text="\n".join(f"export {key}={shlex.quote(value)}" for key, value in _exports(info)))


@app.command()
def stop(
    name: NameOption = "local",
    project: ProjectOption = Path(),
    everything: Annotated[bool, typer.Option("--all", help="Stop all emulators of the project.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop an emulator with its tasks, load balancers and databases. Nothing is left running.

    Stopping one that does not run is no error.

    Examples:
      seatrial emulator stop

      seatrial emulator stop --all

    """
    from seatrial.emulator import process

    output = Output(as_json=as_json)
    names = [each.name for each in process.running(project)] if everything else [name]
    stopped = [info.name for each in names if (info := process.stop(each, project)) is not None]
    for each in stopped:
        output.say(f"emulator {each}: stopped")
    if not stopped:
        output.say("no emulator is running here" if everything else f"no emulator {name} is running here")
    output.result({"stopped": stopped})


@app.command()
def status(name: NameOption = "local", project: ProjectOption = Path(), as_json: JsonOption = False) -> None:
    """Show what an emulator is running: load balancers, services, databases, caches, and what is only recorded.

    Ends with 0 when it runs and with 1 when it does not.

    Example: seatrial emulator status --json | jq .listeners
    """
    from seatrial.emulator import process

    output = Output(as_json=as_json)
    page = process.status(name, project)
    if page is None:
        output.say(f"no emulator {name} is running here; start it with `seatrial emulator start`")
        output.result({"running": False, "name": name})
        raise typer.Exit(1)
    output.result({"running": True} | page, text=_as_text(page))


@app.command()
def logs(
    name: NameOption = "local",
    project: ProjectOption = Path(),
    lines: Annotated[int, typer.Option("--lines", "-l", help="How many of the last lines.", min=1)] = 50,
) -> None:
    """Print the end of the emulator's own log (of the last run, when it does not run).

    The logs of tasks are in CloudWatch Logs: `aws logs tail GROUP`, or `seatrial logs`.

    Example: seatrial emulator logs --lines 200
    """
    from seatrial.emulator import process
    from seatrial.errors import UsageError

    file = process.log_file(name, project)
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise UsageError(f"there is no log {file}", hint="no emulator of this name was ever started here") from None
    Output().result({}, text="\n".join(text.splitlines()[-lines:]))


def _exports(info: EmulatorInfo) -> list[tuple[str, str]]:
    """Return the variables that point any AWS client to the emulator. The keys mean nothing, but clients want some."""
    return [
        ("AWS_ENDPOINT_URL", info.endpoint),
        ("AWS_REGION", info.region),
        ("AWS_DEFAULT_REGION", info.region),
        ("AWS_ACCESS_KEY_ID", "emulator"),
        ("AWS_SECRET_ACCESS_KEY", "emulator"),
    ]


def _as_text(page: dict[str, Any]) -> str:
    """Return the status page as tables."""
    from rich.console import Console

    console = Console(no_color=True, highlight=False, width=120)
    with console.capture() as captured:
        console.print(
            f"emulator {page['name']} at {page['endpoint']}, region {page['region']}\n"
            f"process {page['pid']}, runtime {page['runtime']}, proxy {page['proxy']}, "
            f"time scale {page['time_scale']:g}, {page['block']}, {page['memory_bytes'] / 2**20:.0f} MiB",
            markup=False,
            soft_wrap=True,
        )
        for title, rows in (
            ("load balancers", page["listeners"]),
            ("distributions", page["distributions"]),
            ("services", page["services"]),
            ("databases", page["databases"]),
            ("caches", page["caches"]),
        ):
            if rows:
                console.print(_table(title, rows))
        for title, each in (("recorded only", page["state_only"]), ("unknown calls", page["unknown_calls"])):
            if each:
                console.print(f"{title}: {', '.join(map(str, each))}", markup=False, soft_wrap=True)
    return captured.get()


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
    return table
