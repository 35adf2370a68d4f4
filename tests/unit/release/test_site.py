"""A release with a site over a scripted AWS: when it goes live, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.errors import UsageError
from seatrial.publish.bucket import BEGUN
from seatrial.publish.live import Live
from seatrial.release import api
from seatrial.release.interrupt import Choice, Interrupt
from seatrial.release.permissions import permissions
from seatrial.release.record import Record, encoded
from tests.unit.release.site_world import AT, BUCKET, DISTRIBUTION, SiteWorld
from tests.unit.release.support import NEW, OLD

if TYPE_CHECKING:
    from seatrial.release.outcome import Outcome


@pytest.fixture
def world() -> SiteWorld:
    return SiteWorld()


def rollback(world: SiteWorld, **options: Any) -> Outcome:
    return api.rollback(world.settings, Path(), world.aws, clock=world.clock, **options)


def when(world: SiteWorld, operation: str) -> list[int]:
    return [index for index, (_, name, _) in enumerate(world.aws.calls) if name == operation]


def test_the_site_goes_live_after_the_services_and_pages_after_what_they_name(world: SiteWorld) -> None:
    outcome = world.deploy(NEW)
    assert outcome.exit_code == 0, outcome
    assert outcome.site is not None
    assert (outcome.site.build, outcome.site.version) == (world.new.id, "new")
    assert world.live() == ["new"] * 4
    assert max(when(world, "UpdateService")) < min(when(world, "CopyObject"))
    assert world.writes() == [
        "+publishing.json",
        "+live/assets/app-new.js",
        "+live/config.json",
        "+live/help/index.html",
        "+live/index.html",
        "invalidate",
        "+live.json",
        "-publishing.json",
    ]
    assert world.aws.types["live/assets/app-new.js"] == (
        "text/javascript; charset=utf-8", "public, max-age=31536000, immutable",
    )  # fmt: skip
    assert world.aws.types["live/index.html"] == (
        "text/html; charset=utf-8", "public, max-age=0, s-maxage=86400, must-revalidate",
    )  # fmt: skip
    (batch,) = world.aws.called("CreateInvalidation")
    assert batch["DistributionId"] == DISTRIBUTION
    assert batch["InvalidationBatch"]["Paths"]["Items"] == ["/", "/config.json", "/help/index.html", "/index.html"]


def test_the_same_release_again_leaves_the_site_alone(world: SiteWorld) -> None:
    assert world.deploy(NEW).exit_code == 0
    world.aws.calls.clear()
    assert world.deploy(NEW).exit_code == 0
    assert world.writes() == []


def test_an_invalidation_that_does_not_end_is_no_success_and_takes_all_back(world: SiteWorld) -> None:
    world.aws.statuses = ["InProgress"]
    before = world.served()

    def ends_later() -> None:
        if world.clock.time > 1000:  # the first one is given up after 900 s
            world.aws.statuses = ["Completed"]

    world.clock.at_sleep.append(ends_later)
    outcome = world.deploy(NEW)
    assert (outcome.exit_code, outcome.result) == (1, "rolled_back"), outcome
    assert f"the bucket {BUCKET}: CloudFront invalidation I1" in outcome.message
    assert "still InProgress" in outcome.message
    assert world.live() == ["old"] * 4
    after = world.served()
    assert after.pop("assets/app-new.js") == "script new"  # for whoever has just loaded the page
    assert after == before
    assert BEGUN not in world.aws.objects


def test_the_way_back_is_the_opposite_way(world: SiteWorld) -> None:
    def first(_: dict[str, Any]) -> bool:
        return len(when(world, "CreateInvalidation")) < 2

    world.aws.broken["CreateInvalidation"] = ("InvalidArgument", first)
    assert world.deploy(NEW).result == "rolled_back"
    assert max(when(world, "CreateInvalidation")) < when(world, "UpdateService")[4]  # four went forward
    assert world.live() == ["old"] * 4


def test_what_s3_denies_is_named_and_nothing_stays_behind(world: SiteWorld) -> None:
    world.aws.broken["CopyObject"] = ("AccessDenied", lambda values: values["Key"] == "live/help/index.html")
    before = world.served()
    outcome = world.deploy(NEW)
    assert outcome.result == "rolled_back", outcome
    assert f"the bucket {BUCKET}: AWS denies s3:" in outcome.message
    assert world.live() == ["old"] * 4
    assert world.served().items() >= before.items()
    assert "page new" not in world.served().values()


def test_a_site_that_cannot_be_put_back_needs_a_person(world: SiteWorld) -> None:
    world.aws.statuses = ["InProgress"]
    outcome = world.deploy(NEW)
    assert (outcome.exit_code, outcome.result) == (3, "needs_human")
    assert any(line.startswith("the site: not back at old: CloudFront invalidation") for line in outcome.details)
    assert world.live() == ["old"] * 4


def test_a_rollback_puts_the_site_back_before_the_services(world: SiteWorld) -> None:
    assert world.deploy(NEW).exit_code == 0
    world.aws.calls.clear()
    outcome = rollback(world)
    assert outcome.exit_code == 0, outcome
    assert max(when(world, "CopyObject")) < min(when(world, "UpdateService"))
    assert world.served()["index.html"] == "page old"
    live = world.bucket.live()
    assert live is not None
    assert live.build == world.old.id


def test_a_rollback_whose_services_fail_puts_the_newer_site_forward_last(world: SiteWorld) -> None:
    assert world.deploy(NEW).exit_code == 0
    world.aws.calls.clear()
    world.aws.script["web", "shop-production-web:1"] = ["IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    outcome = rollback(world)
    assert outcome.result == "rolled_back", outcome
    assert world.served()["index.html"] == "page new"
    assert world.live() == ["new"] * 4


def test_a_build_that_is_not_whole_is_refused_before_anything_is_done(world: SiteWorld) -> None:
    assert world.deploy(NEW).exit_code == 0
    del world.aws.objects[f"blobs/{world.old.files['index.html'].sha256}"]
    world.aws.calls.clear()
    with pytest.raises(UsageError, match="lacks 1 of its 4 files"):
        rollback(world)
    assert world.writes() == []


def test_services_alone_keep_the_site_and_record_it(world: SiteWorld) -> None:
    outcome = world.deploy(NEW, only="services")
    assert outcome.exit_code == 0, outcome
    assert world.writes() == []
    assert outcome.site is not None
    assert outcome.site.build == world.old.id


def test_a_person_who_turns_back_while_the_edge_forgets_gets_both_back(world: SiteWorld) -> None:
    class Turns(Interrupt):
        def poll(self) -> Choice:
            waiting = bool(world.aws.called("CreateInvalidation"))
            return Choice.ROLL_BACK if waiting and not world.aws.called("DeleteObject") else Choice.GO_ON

    outcome = world.deploy(NEW, interrupt=Turns())
    assert (outcome.result, outcome.message.partition(";")[0]) == (
        "rolled_back", "interrupted while the site was published",
    )  # fmt: skip
    assert world.served()["index.html"] == "page old"
    assert world.live() == ["old"] * 4


@pytest.mark.parametrize("operation", ["CopyObject", "CreateInvalidation", "GetInvalidation", "PutObject"])
def test_an_answer_that_is_lost_loses_nothing(world: SiteWorld, operation: str) -> None:
    world.aws.lost.add(operation)
    assert world.deploy(NEW).exit_code == 0
    assert world.served()["index.html"] == "page new"
    references = {each["InvalidationBatch"]["CallerReference"] for each in world.aws.called("CreateInvalidation")}
    assert len(references) == 1


def test_a_release_needs_this_bucket_and_this_distribution_and_no_other(world: SiteWorld) -> None:
    proposal = api.plan(world.settings, Path(), world.aws, image=NEW)
    needed = permissions(proposal.plan, world.settings, proposal.facts)
    resources = {
        action: set(each.resources) for each in needed for action in each.actions if action.startswith("cloudfront:")
    }
    distribution = f"arn:aws:cloudfront::123456789012:distribution/{DISTRIBUTION}"
    assert resources == {
        "cloudfront:CreateInvalidation": {distribution}, "cloudfront:GetInvalidation": {distribution},
    }  # fmt: skip
    buckets = {resource for each in needed for resource in each.resources if BUCKET in resource}
    assert buckets == {f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"}


def test_an_image_that_nobody_released_leaves_the_site(world: SiteWorld) -> None:
    unknown = "sha256:" + "2" * 64
    world.aws.images[unknown] = "unknown"
    plan = api.plan(world.settings, Path(), world.aws, image=unknown).plan
    assert "publish" not in [each.kind for each in plan.steps]
    assert "the site stays as it is (version old)" in plan.notes
    assert (plan.site, plan.site_version) == (world.old.id, "old")


def test_the_site_alone_needs_a_release_beside_which_it_can_be_put(world: SiteWorld) -> None:
    world.aws.parameters.clear()
    with pytest.raises(UsageError, match="no release yet"):
        plan_site_of(world)


def plan_site_of(world: SiteWorld) -> None:
    from seatrial.release import facts
    from seatrial.release.site.planning import WantedSite, plan_site

    plan_site(world.settings, facts.gather(world.settings, world.aws), WantedSite("new"))


def test_status_tells_which_build_is_live_and_what_differs(world: SiteWorld) -> None:
    assert world.deploy(NEW).exit_code == 0
    status = world.status()
    assert status.site is not None
    assert (status.site.build, status.site.release, status.drifted) == (world.new.id, 4, ())
    assert "new, by release 4" in status.site.line
    world.aws.objects["live/index.html"] = b"defaced"
    del world.aws.objects["live/favicon.ico"]
    assert world.status().drifted == (
        "site: favicon.ico, index.html: not as published; the next release of the site repairs that",
    )
    assert world.deploy(NEW).exit_code == 0
    assert world.status().drifted == ()
    world.put_live(world.old, "old")
    (line,) = world.status().drifted
    assert line.startswith("site: old (sha256:")
    assert "release 5 published new" in line


def test_a_first_publication_that_fails_leaves_nothing_served(world: SiteWorld) -> None:
    for key in [key for key in world.aws.objects if key.startswith("live")]:
        del world.aws.objects[key]
    world.aws.broken["GetInvalidation"] = ("InvalidArgument", lambda _: len(when(world, "CreateInvalidation")) < 2)
    outcome = world.deploy(NEW)
    assert outcome.result == "rolled_back", outcome
    assert world.served() == {}
    assert world.bucket.live() is None
    writes = world.writes()
    taken = writes[writes.index("invalidate") + 1 :]
    assert set(taken[:2]) == {"-live/help/index.html", "-live/index.html"}  # pages first: they name the rest
    assert taken[-3:] == ["invalidate", "-live.json", "-publishing.json"]
    assert world.deploy(NEW).exit_code == 0
    assert world.served()["index.html"] == "page new"


def test_a_publication_that_was_cut_off_is_made_whole_and_the_edge_forgets_all(world: SiteWorld) -> None:
    script = next(path for path in world.new.files if path.startswith("assets/"))
    world.bucket.begin([Live(world.new.id, "new", 4, AT)])
    world.bucket.serve(script, world.new.files[script])
    status = world.status().site
    assert status is not None
    assert status.drift == ("site: publishing new has not come to its end; a next release makes it whole",)
    world.aws.calls.clear()
    assert rollback(world, to=3).exit_code == 0
    assert world.writes() == ["+publishing.json", "+live/config.json", "invalidate", "+live.json", "-publishing.json"]
    assert world.aws.called("CreateInvalidation")[0]["InvalidationBatch"]["Paths"]["Items"] == ["/*"]
    assert script in world.served()  # somebody may have loaded the page that names it
    status = world.status().site
    assert status is not None
    assert status.drift == ()


def test_builds_too_old_to_go_back_to_are_removed_with_what_only_they_have(world: SiteWorld) -> None:
    newer = [world.add(f"later {number}") for number in range(49)]
    every = {each.id for each in (world.old, world.new, *newer)}
    world.aws.written = {f"builds/{world.old.id[7:]}.json": 1, f"builds/{world.new.id[7:]}.json": 0}
    assert world.bucket.prune({world.old.id}) == 1  # 51 are there
    left = {each.id for each in world.bucket.manifests(every)}
    assert left == every - {world.new.id}
    blobs = world.bucket.blobs()
    assert world.new.files["index.html"].sha256 not in blobs
    assert world.new.files["favicon.ico"].sha256 in blobs  # every build has it
    assert {sha256 for each in (world.old, *newer) for sha256 in each.contents} == blobs.keys()


def test_a_site_that_is_not_in_the_file_any_more_is_left_and_said(world: SiteWorld) -> None:
    without = world.settings.model_copy(update={"site": None})
    plan = api.plan(without, Path(), world.aws, image=NEW).plan
    assert "publish" not in [each.kind for each in plan.steps]
    assert any(note.startswith("the site of release 3 stays as it is, and is not in") for note in plan.notes)
    assert (plan.site, plan.site_version) == ("", "")


def test_out_of_a_site_that_was_cut_off_the_way_back_is_to_what_serves(world: SiteWorld) -> None:
    started = Record(4, "old", OLD, {}, "someone", AT, site_version="new")
    world.aws.parameters |= {"/shop/production/releases/000004": encoded(started), "/shop/production/latest": "4"}
    nothing_begun = rollback(world)
    assert nothing_begun.version == "new"  # release 2, which was before the one that serves
    world = SiteWorld()
    world.aws.parameters |= {"/shop/production/releases/000004": encoded(started), "/shop/production/latest": "4"}
    world.bucket.begin([Live(world.new.id, "new", 4, AT)])
    outcome = rollback(world)
    assert (outcome.exit_code, outcome.site and outcome.site.build) == (0, world.old.id)
