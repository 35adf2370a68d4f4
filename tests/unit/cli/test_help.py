from __future__ import annotations

import pytest
from typer.testing import CliRunner

from seatrial.cli import COMMANDS, app


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"{command} " in result.output
    assert "Name of an  " not in result.output


def test_table_names_in_help_are_not_taken_for_markup() -> None:
    said = CliRunner().invoke(app, ["deploy", "--help"]).output
    assert "Name of an [environments.NAME] in seatrial.toml." in said
