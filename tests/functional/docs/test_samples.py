"""Every command and configuration sample in the documentation is one that the tool takes."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main

from seatrial.cli import COMMANDS
from seatrial.config.load import loads
from seatrial.config.schema import reference
from seatrial.errors import ConfigError
from seatrial.project.migrations.rules import table
from tests.functional.faults import table as faults

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "bench" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "examples").glob("*/README.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
APP = '[app]\nname = "shop"\nsettings = "shop.settings"\n'
WEB = '[services.web]\ncommand = ["gunicorn", "shop.wsgi"]\nport = 8000\nroutes = ["/*"]\n'


@dataclass(frozen=True)
class Sample:
    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def samples(*languages: str) -> list[Sample]:
    return [
        Sample(str(page.relative_to(ROOT)), page.read_text()[: match.start()].count("\n") + 1, match[2])
        for page in PAGES
        for match in FENCE.finditer(page.read_text())
        if match[1] in languages
    ]


def commands() -> list[Sample]:
    found = []
    for block in samples("sh", "console"):
        for number, line in enumerate(block.text.splitlines(), block.line + 1):
            text = line.removeprefix("$ ").strip()
            if text.startswith(("seatrial ", "make ")):
                found.append(Sample(block.page, number, text))
    return found


def test_there_are_samples_to_check() -> None:
    assert len(samples("toml")) >= 3
    assert len(commands()) >= 15


@pytest.mark.parametrize("sample", samples("toml"), ids=str)
def test_configuration(sample: Sample) -> None:
    document = tomllib.loads(sample.text)
    text = sample.text + ("" if "app" in document else APP) + ("" if "services" in document else WEB)
    if expected := re.match(r"#! refused: (.*)", sample.text):
        with pytest.raises(ConfigError, match=re.escape(expected[1])):
            loads(text, "local")
        return
    for environment in ["local", *document.get("environments", {})]:
        loads(text, environment)


@pytest.mark.parametrize("sample", commands(), ids=str)
def test_command(sample: Sample) -> None:
    program, *words = shlex.split(sample.text, comments=True)
    if program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words) <= set(targets)
        return
    name, *rest = words
    if name.startswith("-"):
        assert name in ("--help", "--version")
        return
    command = typer.main.get_command(importlib.import_module(COMMANDS[name][0]).app)
    if isinstance(command, typer.core.TyperGroup):
        name, *rest = rest
        command = command.commands[name]
    if "--help" not in rest:
        command.make_context(name, list(rest)).close()  # parses: an unknown option or a missing argument raises


def test_scripts_are_those_of_the_example() -> None:
    script = (ROOT / "examples" / "stockweb" / "pages" / "static" / "pages" / "follow.js").read_text()
    assert samples("js")
    for sample in samples("js"):
        assert sample.text in script.replace("export ", ""), sample


def test_the_rules_of_migrations_are_those_that_judge() -> None:
    page = (ROOT / "docs" / "migrations.md").read_text()
    assert page.partition("<!-- rules -->")[2].partition("<!-- /rules -->")[0].strip() == table().strip()


def test_what_can_go_wrong_is_what_is_tried() -> None:
    page = (ROOT / "docs" / "releases.md").read_text()
    assert page.partition("<!-- faults -->")[2].partition("<!-- /faults -->")[0].strip() == faults.table().strip()


def test_the_reference_is_that_of_the_models() -> None:
    assert (ROOT / "docs" / "reference.md").read_text() == reference(), (
        "run: seatrial config reference > docs/reference.md"
    )
