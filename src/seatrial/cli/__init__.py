"""The command line: one file a command; parse, call, render, nothing else.

Data goes to standard output, progress and diagnostics to standard error. :func:`main` is the one place that turns an
exception into an exit code. Commands are imported only when they run, so that ``--help`` answers at once.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import typer
import typer.core

from seatrial.errors import SeatrialError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Command → (module, one line for ``seatrial --help``), in the order a newcomer meets them. Each module has a
#: ``typer.Typer`` called ``app``: one function for a command, several for a group.
COMMANDS: dict[str, tuple[str, str]] = {
    "config": ("seatrial.cli.config", "Show the merged configuration of an environment, or the schema for editors."),
    "synth": ("seatrial.cli.synth", "Write the infrastructure as CloudFormation templates."),
    "emulator": ("seatrial.cli.emulator", "Start, stop and look at AWS on this machine."),
    "infra": ("seatrial.cli.infra", "Create or update an environment's infrastructure."),
    "rehearse": ("seatrial.cli.rehearse", "Release on the emulator under load, inject a fault, write a report."),
    "plan": ("seatrial.cli.plan", "Say what a release would do and which permissions it needs."),
    "migrations": ("seatrial.cli.migrations", "Say which pending migrations would break the version still serving."),
    "deploy": ("seatrial.cli.deploy", "Release the project to an environment."),
    "promote": ("seatrial.cli.promote", "Release to one environment what another one runs, without building."),
    "rollback": ("seatrial.cli.rollback", "Go back to an earlier release."),
    "status": ("seatrial.cli.status", "Say what an environment is running and how it is."),
    "history": ("seatrial.cli.history", "Say who released what and when, and how it ended."),
    "policy": ("seatrial.cli.policy", "Print the least IAM policy of a role: release, infra, read-only or exec."),
    "logs": ("seatrial.cli.logs", "Print or follow the logs of a service, task or job."),
    "run": ("seatrial.cli.run", "Run a task, a job or any command on the image that is live."),
    "exec": ("seatrial.cli.exec", "Open a shell, or run a command, in a running task of a service."),
}


class LazyGroup(typer.core.TyperGroup):
    """Imports a command's module when it is asked for, not before.

    Typer's own context types are private, hence ``Any``.
    """

    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """Return the command names in :data:`COMMANDS`' order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command, imported now; for ``--help`` of the whole only its one line."""
        if cmd_name not in COMMANDS:
            return None
        module, line = COMMANDS[cmd_name]
        if self._listing or ctx.resilient_parsing:
            return typer.core.TyperCommand(cmd_name, short_help=line)
        application = importlib.import_module(module).app
        application.rich_markup_mode = None  # or [environments.NAME] in a help text is taken for markup and left out
        command = typer.main.get_command(application)
        command.name = cmd_name
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help of the whole without importing one command."""
        self._listing = True
        super().format_help(ctx, formatter)


app = typer.Typer(
    cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


def _version(value: bool) -> None:
    if value:
        from seatrial import __version__

        typer.echo(f"seatrial {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version_flag: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Take a Django project to AWS ECS, and rehearse every release on your own machine first.

    Start with `seatrial rehearse` in a directory that has a seatrial.toml.

    Exit codes: 0 done; 1 failed, and the old version is serving; 2 the command line or the configuration is wrong;
    3 failed, and a person must look at it.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with the documented exit code."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(argv)
    except SeatrialError as error:
        _report(error, as_json="--json" in argv)
        sys.exit(error.exit_code)


def _report(error: SeatrialError, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"error": error.to_json()}, indent=2) + "\n")
        return
    lines = [f"error: {error.message}", *(f"  {line}" for line in error.details)]
    if error.hint:
        lines.append(f"hint: {error.hint}")
    sys.stderr.write("\n".join(lines) + "\n")
