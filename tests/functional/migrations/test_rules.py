"""The rules on three versions of Django and a real PostgreSQL: what is called unsafe breaks the version before.

The collector reads every case in the interpreter of each Django, the classifier judges it, and the very migration is
applied to PostgreSQL under the old version's queries. The two must agree: a contract fails some query of either
version, what is safe fails none, what is called rewriting gives the table another file, and what is called long-locking
reads every row while it keeps writers out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.project.migrations.classify import Judgement, classify
from seatrial.project.migrations.operations import read
from seatrial.project.migrations.rules import RULES
from tests.functional.migrations.cases import CASES, Case
from tests.functional.migrations.support import DJANGO, Project, Version, postgres, project, told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.emulator.data.postgres import PostgresServer

PAIRS = [
    pytest.param(django, case, id=f"{django[0]}.{django[1]}-{case.name}")
    for django in DJANGO
    for case in CASES
    if case.on(django)
]


@dataclass(frozen=True)
class Tried:
    """What the classifier says of each operation of a case, and what PostgreSQL said."""

    judged: dict[str, list[tuple[Judgement, ...]]]
    happened: dict[str, dict[str, Any]]


class Trials:
    def __init__(self, directory: Path, server: PostgresServer) -> None:
        self._directory = directory
        self.server = server
        self.of = cache(self._of)

    def _of(self, django: Version) -> Tried:
        cases = [case for case in CASES if case.on(django)]
        directory = self._directory / "{}-{}".format(*django)
        project_ = project(directory, django, cases, self.server)
        answer = project_.ask(applied=[(case.name, "0001_before") for case in cases])
        assert answer.django.startswith("{}.{}".format(*django))
        assert answer.migrations is not None
        judged: dict[str, list[tuple[Judgement, ...]]] = {}
        for operation in read(answer.migrations):
            judged.setdefault(operation.app, []).append(classify(operation, answer.serving))
        return Tried(judged, told(project_, cases))


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield Trials(tmp_path_factory.mktemp("projects"), server)


@pytest.mark.parametrize(("django", "case"), PAIRS)
def test_a_case_is_judged_as_the_table_says_and_postgresql_agrees(trials: Trials, django: Version, case: Case) -> None:
    tried = trials.of(django)
    judged = tried.judged[case.name]
    assert [" ".join(each.rule.id for each in rules) for rules in judged] == list(case.rules)

    kinds = case.kinds
    happened = tried.happened[case.name]
    assert happened["before"] == []  # the old version's queries work, before
    failed = [*happened["after"], *happened["new"]]
    if "contract" in kinds:
        assert failed
        return
    if "unknown" in kinds:
        assert bool(failed) == case.breaks
        return
    assert failed == []
    if "blocks" in happened:
        assert happened["rewritten"] == ("rewriting" in kinds)
        reads_all = bool(happened["blocks"]) and 0 < happened["rows"] <= happened["read"]
        if not happened["rewritten"]:
            assert reads_all == ("long-locking" in kinds)
        if kinds & {"rewriting", "long-locking"}:
            assert "lock timeout" in happened["meanwhile"]


def test_every_rule_has_a_case() -> None:
    """``not-atomic`` cannot be applied: Django refuses it."""
    tried = {rule for case in CASES for rules in case.rules for rule in rules.split()}
    assert set(RULES) - tried == {"not-atomic"}


def test_there_are_enough_cases_for_each_version() -> None:
    for django in DJANGO:
        assert sum(len(case.rules) for case in CASES if case.on(django)) >= 60


FEW = tuple(case for case in CASES if case.name in ("state_only_nullable", "longer", "add_null"))


@pytest.mark.parametrize("django", list(DJANGO), ids=str)
def test_the_collector_reads_the_database_and_changes_nothing(trials: Trials, django: Version, tmp_path: Path) -> None:
    project_ = project(tmp_path, django, FEW, trials.server, "asked")
    asked = project_.ask(ask=True)
    assert asked.problem is None
    assert asked.database is not None
    assert asked.database.version >= 180000
    assert (asked.database.applied, asked.database.sizes) == ((), {})
    assert asked.serving == {}

    project_.run(tmp_path / "migrate.py", ["longer", "0001_before"])
    asked = project_.ask(ask=True)
    assert asked.database is not None
    assert asked.database.applied == (("longer", "0001_before"),)
    rows, size = asked.database.sizes["longer_part"]
    assert (rows, size > 0) == (0, True)
    assert asked.migrations is not None
    pending = [(each["app"], each["name"]) for each in asked.migrations if each["app"] == "longer"]
    assert pending == [("longer", "0002_change")]
    assert asked.serving is not None
    assert set(asked.serving) == {"longer_box", "longer_part"}

    elsewhere = Project(django, project_.python, tmp_path, {**project_.database, "PGPORT": "1"}).ask(ask=True)
    assert elsewhere.database is None
    assert "OperationalError" in (elsewhere.problem or "")


@pytest.mark.parametrize("django", list(DJANGO), ids=str)
def test_what_was_released_before_stands_in_for_the_database(trials: Trials, django: Version, tmp_path: Path) -> None:
    project_ = project(tmp_path, django, FEW, trials.server, "released")
    released = {case.name: "0001_before" for case in FEW}
    answer = project_.ask(leaves=released)
    assert answer.migrations is not None
    assert {each["name"] for each in answer.migrations} == {"0002_change"}
    assert answer.leaves == dict.fromkeys(released, "0002_change")
    assert project_.ask(leaves=answer.leaves).migrations == []

    everything = project_.ask()
    assert everything.serving is None
    applied = [(each["app"], each["name"]) for each in everything.migrations or ()]
    turned_back = project_.ask(applied=applied, leaves={**released, "state_only_nullable": "0001_before"})
    assert turned_back.migrations == []
    table = "state_only_nullable_part"  # the state has lost a column, the code that serves has not
    assert "maybe" in (turned_back.serving or {})[table]
    assert "maybe" not in (project_.ask(applied=applied).serving or {})[table]
