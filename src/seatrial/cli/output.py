"""How commands speak: data on standard output, people's lines on standard error, JSON when asked.

Commands get an :class:`Output` and never print themselves. On a terminal lines are coloured by rich; in CI they are
plain, so that a log stays readable.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output, for machines.")]
ConfigOption = Annotated[
    str, typer.Option("--config", "-c", help="Path of seatrial.toml.", show_default=True, metavar="FILE")
]
EnvironmentArgument = Annotated[str, typer.Argument(help="Name of an [environments.NAME] in seatrial.toml.")]


class Output:
    """Where a command writes. With ``as_json`` only :meth:`result` reaches standard output."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._console: Console | None = None

    @property
    def console(self) -> Console:
        """The rich console on standard error, for progress and tables meant for people."""
        if self._console is None:
            from rich.console import Console  # slow to import

            self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        return self._console

    @property
    def interactive(self) -> bool:
        """Whether a person sits at a terminal and may be asked."""
        return not self.as_json and sys.stdin.isatty() and sys.stderr.isatty()

    def say(self, line: str, *, style: str | None = None) -> None:
        """Write one line for people (standard error). Markup in ``line`` is not interpreted."""
        if sys.stderr.isatty():
            self.console.print(line, style=style, markup=False)
        else:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def result(self, data: Mapping[str, Any] | Sequence[Any], *, text: str | None = None) -> None:
        """Write the command's result: ``data`` as JSON, or ``text`` for people (standard output)."""
        if self.as_json:
            sys.stdout.write(json.dumps(data, indent=2, default=str) + "\n")
        elif text:
            sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()
