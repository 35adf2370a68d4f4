"""Promotion: which release of the source is released, and what is refused, over a scripted AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.aws.ssm import Ssm
from seatrial.config.load import loads
from seatrial.errors import UsageError
from seatrial.release import api
from seatrial.release.record import Record, Records
from tests.unit.release.support import NEW, OLD, TOML, FakeAws, FakeClock
from tests.unit.release.world import FakeProbes

if TYPE_CHECKING:
    from seatrial.release.outcome import Outcome
    from seatrial.release.record import Ending

STAGING = "[environments.staging]\n"


class World:
    """Staging and production on one scripted AWS; ``toml`` is staging's part of the file."""

    def __init__(self, staging: str = STAGING) -> None:
        self.clock = FakeClock()
        self.source = loads(TOML + staging, "staging")
        self.target = loads(TOML + staging, "production")
        self.aws = FakeAws(self.target, self.clock)

    def released(self, digest: str, ending: Ending = "released", **changes: Any) -> Record:
        record = Record(
            number=0,
            version="from-staging",
            digest=digest,
            revisions={unit: f"shop-staging-{unit}:4" for unit in ("web", "events", "worker", "migrate")},
            who="arn:aws:iam::123456789012:user/other",
            at=self.clock.now(),
        )
        records = Records(Ssm(self.aws), "/shop/staging")
        opened = records.open(Record(**{**vars(record), **changes}))
        records.close(opened.ended(ending, 1, ""))
        return opened

    def promote(self, **options: Any) -> Outcome:
        return api.promote(self.source, self.target, Path(), self.aws, self.aws, clock=self.clock, **options)


@pytest.fixture
def world() -> World:
    return World()


def test_the_digest_that_the_source_runs_is_released_with_all_steps_but_the_build(world: World) -> None:
    world.released(OLD)
    world.released(NEW)
    outcome, proposal = confirmed(world)
    assert (outcome.result, outcome.digest, outcome.version) == ("released", NEW, "from-staging")
    assert [world.aws.live(unit) for unit in ("web", "events", "worker", "beat")] == ["new"] * 4
    plan = proposal.plan
    assert plan.verb == "promote"
    assert [each.kind for each in plan.steps][:3] == ["verify", "register", "gate"]
    assert plan.notes[0].startswith("from staging: its release 2, by arn:aws:iam::123456789012:user/other")
    assert plan.notes[1] == "beat, seed, digest: not part of that release, so staging has not tried it"
    assert json.loads(world.aws.parameters["/shop/production/releases/000001"])["digest"] == NEW
    assert any("ecr:DescribeImages" in each.actions for each in proposal.permissions)


def test_a_newest_release_that_was_rolled_back_leaves_the_one_before(world: World) -> None:
    world.released(NEW)
    world.released(OLD, "rolled_back")
    _, proposal = confirmed(world)
    assert "release 2 of staging failed and was rolled back; 1 serves" in proposal.plan.notes
    assert world.aws.live("web") == "new"


@pytest.mark.parametrize("ending", ["started", "unwatched", "needs_human"])
def test_a_source_of_which_nobody_knows_what_serves_is_refused(world: World, ending: Ending) -> None:
    world.released(NEW)
    world.released(NEW, ending)
    refused(world, rf"release 2 of staging is not released \({ending}\)")


def test_a_source_without_a_release_is_refused(world: World) -> None:
    refused(world, "staging has no release")


def test_revisions_of_another_app_are_refused(world: World) -> None:
    world.released(NEW, revisions={"web": "other-staging-web:3"})
    refused(world, "made from another app: other-staging-web:3")


def test_an_image_that_is_gone_or_elsewhere_is_refused() -> None:
    gone = World()
    gone.released("sha256:" + "2" * 64)
    refused(gone, "not in the repository shop of account 123456789012 in eu-west-1 any more", "--revision")
    elsewhere = World(STAGING + 'base = "trial"\n')
    elsewhere.released("sha256:" + "2" * 64)
    refused(
        elsewhere, "is in the repository shop-trial .* production takes its images from the repository shop ", "base"
    )


def test_smoke_checks_are_made_as_in_any_release() -> None:
    world = World(
        'strategy = { type = "blue_green", test_from = ["198.51.100.7/32"] }\n[smoke.home]\npath = "/"\n' + STAGING
    )
    world.released(NEW)
    probes = FakeProbes()
    assert world.promote(probes=probes).result == "released"
    assert [each.path for each in probes.asked] == ["/"]


def test_an_environment_is_not_promoted_to_itself(world: World) -> None:
    world.source = world.target
    refused(world, "to itself")


def confirmed(world: World) -> tuple[Outcome, api.Proposal]:
    asked: list[api.Proposal] = []

    def yes(proposal: api.Proposal) -> bool:
        asked.append(proposal)
        return True

    outcome = world.promote(confirm=yes)
    return outcome, asked[0]


def refused(world: World, said: str, hint: str = "") -> None:
    with pytest.raises(UsageError, match=said) as error:
        world.promote()
    assert hint in (error.value.hint or "")
    assert world.aws.called("UpdateService") == []
    assert "/shop/production/lock" not in world.aws.parameters
