"""The release policy is enough, and the least: over a scripted AWS that holds the caller to it."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from seatrial.aws.clock import SystemClock
from seatrial.aws.permission import Permission, policy
from seatrial.emulator.access.cloudfront import of_cloudfront
from seatrial.emulator.access.decision import Need, allowed
from seatrial.emulator.access.needs import Place, needs, of_s3
from seatrial.errors import SeatrialError
from seatrial.release import api, facts, roles
from seatrial.release.status import status
from seatrial.release.watch import Note, ReleaseEvent
from tests.unit.release.site_world import BUCKET, SITE_TOML, SiteAws, SiteWorld
from tests.unit.release.support import ACCOUNT, NEW, OLD, TOML, FakeAws, FakeClock, error, model_of, settings_of

PLACE = Place(ACCOUNT, "eu-west-1")
#: What only a push needs, which the scripted AWS has none of; tests/functional/release/test_policy.py has.
PUSH = frozenset(
    f"ecr:{each}"
    for each in (
        "BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "GetAuthorizationToken",
        "GetDownloadUrlForLayer", "InitiateLayerUpload", "PutImage", "UploadLayerPart",
    )
)  # fmt: skip


class Held(FakeAws):
    """Denies what the document does not allow, in AWS's words."""

    document: dict[str, Any] | None = None

    def answer(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        model = model_of(service)
        api_name = next(name for name in model.operation_names if name.lower() == operation.replace("_", ""))
        if self.document is not None and service != "sts":
            for need in wanted_by(service, api_name, parameters):
                if not allowed([self.document], need):
                    message = f"User: x is not authorized to perform: {need.action} on resource: {need.resource}"
                    raise error("AccessDeniedException", api_name, message)
        return super().answer(service, operation, parameters)


class HeldSite(Held, SiteAws):
    """The same where there is a site."""


def wanted_by(service: str, operation: str, parameters: dict[str, Any]) -> list[Need]:
    if service == "cloudfront":
        path = f"/2020-05-31/distribution/{parameters['DistributionId']}/invalidation"
        method, more = ("GET", f"/{parameters['Id']}") if operation == "GetInvalidation" else ("POST", "")
        return of_cloudfront(method, path + more, {}, PLACE) or []
    if service != "s3":
        return needs(model_of(service).signing_name, operation, parameters, PLACE)
    if operation == "ListObjectsV2":
        return of_s3("GET", f"/{parameters['Bucket']}", {"list-type": "2", "prefix": parameters["Prefix"]}, {}) or []
    source = parameters.get("CopySource")
    headers = {"HTTP_X_AMZ_COPY_SOURCE": source} if source else {}
    method = {"GetObject": "GET", "DeleteObject": "DELETE"}.get(operation, "PUT")
    return of_s3(method, f"/{parameters['Bucket']}/{parameters['Key']}", {}, headers) or []


def test_every_action_is_enough_and_needed() -> None:
    document = policy(granted())
    whole = [play(document) for play in SCENARIOS]
    assert whole == [play(None) for play in SCENARIOS]
    assert [ending[0] for ending in whole] == ["released", "rolled_back", "rolled_back", "rolled_back", "released"]
    actions = {action for each in document["Statement"] for action in each["Action"]}
    useless = {action for action in actions - PUSH if not missed(without(document, action), whole)}
    assert useless == set()


def test_every_action_that_a_site_asks_for_is_enough_and_needed() -> None:
    def play(document: dict[str, Any] | None) -> Ending:
        world = SiteWorld(HeldSite)
        assert isinstance(world.aws, HeldSite)
        world.aws.document = document
        try:
            outcome = world.deploy()
        except SeatrialError as refused:
            return ("refused", refused.message, ())
        told = tuple(each.text for each in world.events if isinstance(each, Note))
        return (outcome.result, outcome.message, (*outcome.details, *told))

    world = SiteWorld()
    document = policy(roles.release_role(world.settings, facts.gather(world.settings, world.aws)))
    whole = play(document)
    assert whole[0] == "released"
    assert whole == play(None)
    of_the_site = {
        action
        for each in document["Statement"]
        for action in each["Action"]
        if action.startswith("cloudfront:") or any(BUCKET in resource for resource in each["Resource"])
    }
    assert of_the_site == {
        "s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject",
        "cloudfront:CreateInvalidation", "cloudfront:GetInvalidation",
    }  # fmt: skip
    assert {action for action in of_the_site if play(without(document, action)) == whole} == set()


def test_without_a_gate_the_task_that_looks_at_migrations_may_be_run() -> None:
    text = TOML.replace("gate = true", "") + "[database]\n"
    for asks in (True, False):
        settings = settings_of(text + ("" if asks else "[migrations]\ncheck = false\n"))
        found = roles.release_role(settings, facts.gather(settings, FakeAws(settings, FakeClock())))
        run = {resource for each in found if "ecs:RunTask" in each.actions for resource in each.resources}
        assert run == ({f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/shop-production-web:*"} if asks else set())


def test_the_release_policy_fits_a_managed_policy() -> None:
    assert len(json.dumps(policy(granted()), separators=(",", ":"))) <= 6144


def test_the_reading_policy_is_enough_for_plan_and_status_and_changes_nothing() -> None:
    settings = settings_of()
    aws = Held(settings, FakeClock())
    found = roles.reading_role(settings, facts.gather(settings, aws))
    aws.document = policy(found)
    api.plan(settings, Path(), aws, image=NEW)
    assert status(settings, aws, SystemClock()).services
    words = {action.partition(":")[2] for each in found for action in each.actions}
    assert all(word.startswith(("Describe", "Get", "List", "Filter")) for word in words)


def test_the_actions_of_both_are_limited_where_iam_can() -> None:
    settings = settings_of(SITE_TOML)
    gathered = facts.gather(settings, SiteAws(settings, FakeClock()))
    spec = find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    reference = json.loads((Path(spec.origin).parent / "data/AdditionalSpecs/Policies.json").read_text())
    for each in (*roles.release_role(settings, gathered), *roles.reading_role(settings, gathered)):
        for action in each.actions:
            service, _, name = action.partition(":")
            kinds = reference[service]["Actions"][name.lower()].get("Resources")
            if action != "ecs:ListTasks":  # by its cluster instead
                assert (each.resources == ("*",)) is (not kinds), action


def missed(document: dict[str, Any], whole: list[Ending]) -> bool:
    """Whether any release ends otherwise, or tells something else, than under the whole policy."""
    return any(play(document) != ending for play, ending in zip(SCENARIOS, whole, strict=True))


@cache
def granted() -> tuple[Permission, ...]:
    settings = settings_of()
    return roles.release_role(settings, facts.gather(settings, FakeAws(settings, FakeClock())))


def without(document: dict[str, Any], action: str) -> dict[str, Any]:
    kept = [{**each, "Action": [a for a in each["Action"] if a != action]} for each in document["Statement"]]
    return {**document, "Statement": kept}


Ending = tuple[str, str, tuple[str, ...]]


class Stage:
    """One release after another, and what was seen of it."""

    def __init__(self, document: dict[str, Any] | None) -> None:
        self.settings = settings_of()
        self.clock = FakeClock()
        self.aws = Held(self.settings, self.clock)
        self.aws.document = document
        self.events: list[ReleaseEvent] = []

    def deploy(self, image: str = NEW) -> Ending:
        return self._ended(
            lambda: api.deploy(
                self.settings, Path(), self.aws, image=image, on_event=self.events.append, clock=self.clock
            )
        )

    def rollback(self) -> Ending:
        return self._ended(
            lambda: api.rollback(self.settings, Path(), self.aws, on_event=self.events.append, clock=self.clock)
        )

    def _ended(self, release: Any) -> Ending:
        try:
            outcome = release()
        except SeatrialError as refused:
            return ("refused", refused.message, ())
        told = tuple(each.text for each in self.events if isinstance(each, Note))
        return (outcome.result, outcome.message, (*outcome.details, *told))


def good(document: dict[str, Any] | None) -> Ending:
    return Stage(document).deploy()


def gate_hangs(document: dict[str, Any] | None) -> Ending:
    stage = Stage(document)
    stage.aws.gate = None
    return stage.deploy()


def gate_fails(document: dict[str, Any] | None) -> Ending:
    stage = Stage(document)
    stage.aws.gate = 1
    return stage.deploy()


def never_healthy(document: dict[str, Any] | None) -> Ending:
    stage = Stage(document)
    stage.aws.script["web", "shop-production-web:2"] = ["IN_PROGRESS"] * 10_000
    return stage.deploy()


def taken_back(document: dict[str, Any] | None) -> Ending:
    stage = Stage(document)
    stage.deploy()
    stage.deploy(OLD)
    return stage.rollback()


SCENARIOS = (good, gate_hangs, gate_fails, never_healthy, taken_back)
