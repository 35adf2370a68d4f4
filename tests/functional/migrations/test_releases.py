"""The classes of migrations by releases on the emulator: whose requests fail while two versions work on one database.

Every case of the rules is an application of one Django project, with pages of its own that read and write through the
ORM. It is released three times, blue/green, under visitors: with all migrations that are called safe; with all that are
called unsafe, acknowledged by their names; and with one that Django refuses. After the migrations, while ECS waits for
the smoke checks, every page of both versions is asked for: so a page that fails names its case, and none is missed.
Migrations that are called unsafe for their locks are kept open at their end, as on a large table, while the version
that serves is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from seatrial.aws.session import Aws
from seatrial.project.migrations.rules import KINDS, RULES
from tests.functional.emulator.support import emulator
from tests.functional.migrations.cases import CASES, NOT_ATOMIC, Case
from tests.functional.migrations.stage import DJANGO, Answer, Observed, Site, released
from tests.functional.migrations.watch import Held, Watchman

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.project.migrations.verdict import Verdict

LOCKS = {"rewriting", "long-locking"}
TRIED = [case for case in CASES if case.on(DJANGO)]
CONTRACT = [case for case in TRIED if "contract" in case.kinds or case.breaks]
LOCKING = [case for case in TRIED if case.kinds & LOCKS and case not in CONTRACT]
SAFE = [case for case in TRIED if case not in CONTRACT and case not in LOCKING]
#: What the new version cannot live with. All others take something from the old one.
NEW_FAILS = {"state_only_not_null"}


def by_name(cases: Iterable[Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases]


@dataclass(frozen=True)
class Unsafe:
    """The release of everything unsafe. ``files`` are each table's file before and after."""

    verdict: Verdict
    observed: Observed
    held: dict[str, Held]
    files: dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=0.02) as running:
        root = tmp_path_factory.mktemp("site") / "project"
        it = Site(root, Aws("eu-west-1", endpoint=running.info.endpoint), [*TRIED, NOT_ATOMIC])
        it.build()
        yield it


@pytest.fixture(scope="module")
def safe(site: Site) -> tuple[Verdict, Observed]:
    site.commit("safe", SAFE)
    return site.verdict(), released(site)


@pytest.fixture(scope="module")
def unsafe(site: Site, safe: tuple[Verdict, Observed]) -> Unsafe:
    site.commit("unsafe", [*CONTRACT, *LOCKING])
    verdict = site.verdict()
    site.acknowledge(each.operation.name for each in verdict.refused)
    site.commit("acknowledged", ())
    before = files(site)
    pages = {case.name: "list" if "rewriting" in case.kinds else "create" for case in LOCKING}
    with Watchman(site, pages) as watchman:
        observed = released(site)
    after = files(site)
    return Unsafe(verdict, observed, watchman.seen, {name: (before[name], after[name]) for name in pages})


@pytest.fixture(scope="module")
def refused(site: Site, unsafe: Unsafe) -> Observed:
    site.commit("not atomic", [NOT_ATOMIC])
    return released(site)


def files(site: Site) -> dict[str, int]:
    with site.database() as connection:
        found = connection.execute(
            "SELECT left(relname, -5), pg_relation_filenode(oid)::int FROM pg_class WHERE relkind = 'r' "
            "AND right(relname, 5) = '_part'"
        ).fetchall()
    return dict(found)


def of(case: Case, answers: Iterable[Answer]) -> list[Answer]:
    return [each for each in answers if each.case == case.name]


def failed(answers: Iterable[Answer]) -> list[Answer]:
    return [each for each in answers if each.status != 200]


def severities(verdict: Verdict, case: Case) -> set[str]:
    return {each.severity for each in verdict.findings if each.operation.app == case.name}


def test_every_rule_and_several_cases_of_every_class_are_released() -> None:
    cases = [*TRIED, NOT_ATOMIC]
    assert {rule for case in cases for rules in case.rules for rule in rules.split()} == set(RULES)
    assert all(sum(kind in case.kinds for case in cases) >= 5 for kind in KINDS)


def test_no_request_fails_in_a_release_of_all_that_is_safe(site: Site, safe: tuple[Verdict, Observed]) -> None:
    verdict, observed = safe
    assert observed.outcome is not None
    assert observed.outcome.result == "released", observed.outcome
    assert verdict.refused == ()
    assert failed([*observed.before, *observed.visits, *observed.old, *observed.new]) == []
    pages = set(site.pages())
    for asked, version in ((observed.old, "one"), (observed.new, "safe")):
        assert {(each.case, each.page) for each in asked if each.version == version} == pages


@pytest.mark.parametrize("case", by_name(SAFE))
def test_what_is_called_safe_fails_no_request(safe: tuple[Verdict, Observed], case: Case) -> None:
    verdict, observed = safe
    assert severities(verdict, case) <= {"note", "warn"}
    assert ("warn" in severities(verdict, case)) == ("unknown" in case.kinds)
    answers = of(case, [*observed.old, *observed.new])
    assert {each.version for each in answers} == {"one", "safe"}
    assert failed(answers) == []


@pytest.mark.parametrize("case", by_name(CONTRACT))
def test_what_is_called_unsafe_fails_requests(unsafe: Unsafe, case: Case) -> None:
    wanted = "warn" if case.kinds <= {"unknown", "irreversible"} else "refuse"
    assert wanted in severities(unsafe.verdict, case)
    observed = unsafe.observed
    assert failed(of(case, [*observed.before, *observed.visits[: observed.untouched]])) == []
    asked, version = (observed.new, "acknowledged") if case.name in NEW_FAILS else (observed.old, "safe")
    answers = of(case, asked)
    assert {each.version for each in answers} == {version}
    assert {each.status for each in failed(answers)} == {500}, answers


@pytest.mark.parametrize("case", by_name(LOCKING))
def test_what_is_called_unsafe_for_its_locks_fails_requests_while_it_runs(unsafe: Unsafe, case: Case) -> None:
    assert "refuse" in severities(unsafe.verdict, case)
    held, page = unsafe.held[case.name], "SELECT" if "rewriting" in case.kinds else "INSERT"
    assert held.waiting.startswith(page), held
    assert (held.hurried.version, held.hurried.status) == ("safe", 500)
    assert "lock timeout" in held.hurried.said
    assert (held.patient.version, held.patient.status) == ("safe", 200), held.patient  # when it is over, all is well
    before, after = unsafe.files[case.name]
    assert (before != after) == ("rewriting" in case.kinds)
    observed = unsafe.observed
    assert failed(of(case, [*observed.before, *observed.visits, *observed.old, *observed.new])) == []


def test_what_was_safe_stays_so_beside_all_that_is_not(unsafe: Unsafe) -> None:
    observed = unsafe.observed
    assert observed.outcome is not None
    assert observed.outcome.result == "released", observed.outcome
    answers = [*observed.before, *observed.visits, *observed.old, *observed.new]
    assert failed(each for case in SAFE for each in of(case, answers)) == []


def test_what_django_refuses_ends_the_release_and_no_request(refused: Observed) -> None:
    outcome = refused.outcome
    assert outcome is not None
    assert (outcome.exit_code, outcome.failed) == (1, "run migrate, which must exit 0"), outcome
    assert any("CREATE INDEX CONCURRENTLY cannot" in line or "atomic" in line for line in outcome.details), outcome
    assert {each.version for each in refused.visits} == {"acknowledged"}
    assert failed(each for case in (*SAFE, *LOCKING, NOT_ATOMIC) for each in of(case, refused.visits)) == []


def test_what_is_called_irreversible_cannot_be_taken_back(site: Site, unsafe: Unsafe) -> None:
    ended = site.run("migrate", "--skip-checks", "run_python_one_way", "0001")
    assert ended.exit_code == 1
    with site.database() as connection:
        question = "SELECT count(maybe)::int, count(*)::int FROM remove_nullable_part"
        with pytest.raises(Exception, match='column "maybe" does not exist'):
            connection.execute(question)
        assert site.run("migrate", "--skip-checks", "remove_nullable", "0001").exit_code == 0
        values, rows = connection.execute(question).fetchone() or (0, 0)
    assert (values, rows >= 50) == (0, True)  # each of the first fifty had one
