"""What settings ask for in vain is named by its key, and only that."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.release import facts
from seatrial.release.plan import Wanted, plan_release
from seatrial.stack.gaps import gaps
from tests.unit.release.support import NEW, TOML, FakeAws, FakeClock, settings_of
from tests.unit.stack.support import EVERYTHING, HOOK, settings

SITE: dict[str, Any] = {"site": {"source": "frontend", "build": "npm run build"}}
EMULATOR: dict[str, Any] = {"target": {"cloud": "emulator"}}
SMOKE: dict[str, Any] = {"smoke": {"home": {"path": "/"}}}
HOOKS: dict[str, Any] = {
    "hooks": {"warm": {"function": f"{HOOK}:warm", "stages": ["POST_SCALE_UP"]}},
}
JOB = {key: EVERYTHING[key] for key in ("jobs", "database")}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({}, []),
        (EVERYTHING, []),
        (SITE, []),
        (JOB | EMULATOR, []),
        (SMOKE, ["[smoke] is not asked: under the rolling strategy"]),
        (SMOKE | HOOKS | {"target": {"cloud": "emulator", "strategy": {"type": "blue_green"}}}, []),
        (HOOKS, ["hooks.warm is not asked: rolling has none of its stages (POST_SCALE_UP)"]),
        (HOOKS | {"target": {"strategy": {"type": "codedeploy"}}}, ["hooks.warm is not asked: codedeploy has none"]),
    ],
    ids=[
        "nothing",
        "everything else",
        "a site",
        "jobs on the emulator",
        "checks and rolling",
        "checks, hooks and blue/green",
        "hooks and rolling",
        "hooks of the other kind",
    ],
)
def test_each_key_without_effect_is_named(asked: dict[str, Any], named: list[str]) -> None:
    found = gaps(settings(**asked))
    assert len(found) == len(named)
    assert all(said.startswith(name) for said, name in zip(found, named, strict=True))


def test_a_plan_notes_them() -> None:
    wanted = settings_of(TOML + '\n[smoke.home]\npath = "/"\n')
    plan = plan_release(wanted, facts.gather(wanted, FakeAws(wanted, FakeClock())), Wanted("abc123", NEW))
    assert any(note.startswith("[smoke] is not asked") for note in plan.notes)
