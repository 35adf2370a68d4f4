"""Services that come and go between releases, on a real emulator. The tests build on each other, in this order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import release
from seatrial.config.load import load
from seatrial.errors import UsageError
from seatrial.infra import apply
from seatrial.infra.permissions import infra_role
from seatrial.release import facts
from seatrial.release.roles import release_role
from seatrial.stack.build import build
from seatrial.stack.lowering import lower
from tests.functional.emulator.support import Running, emulator, eventually
from tests.functional.infra.test_policy import User
from tests.functional.release.support import TOML, Asking, Place, project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.aws.session import Aws

MORE = """
[services.site]
role = "web"
command = ["python", "-m", "tiny.web"]
port = 8000
routes = ["/site/*"]
health_check = { path = "/ready", interval = 5, timeout = 2, healthy = 2, unhealthy = 2 }
drain = 1
stop_timeout = 5
[services.packer]
role = "worker"
command = ["python", "-m", "tiny.packer"]
count = 2
stop_timeout = 60
[jobs.digest]
command = ["python", "-m", "tiny.job"]
schedule = "rate(1 minute)"
"""
#: Has always a piece of work in hand, which takes a second, and ends with 0 only when that is done.
PACKER = """
import signal, sys, threading
told = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: told.set())
while not told.is_set():
    threading.Event().wait(1)
print("packed the last one", flush=True)
sys.exit(0)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("emulator"), time_scale=0.02) as it:
        yield it


@pytest.fixture(scope="module")
def shop(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("shop") / "project"
    settings, aws = project(root, running.info.endpoint, TOML.format(app="shop"))
    (root / "tiny" / "packer.py").write_text(PACKER)
    it = Place(root, aws, settings, apply(settings, aws).outputs["Url"])
    it.commit("one")
    assert it.deploy().exit_code == 0
    return it


@pytest.fixture(scope="module")
def releaser(running: Running, shop: Place) -> Place:
    """The place of somebody who may do what ``seatrial policy`` says; with all services, once they are there."""
    user = User(running, "releases")
    more = with_(shop, MORE)
    user.give(release_role(more.settings, facts.gather(more.settings, shop.aws)))
    return replace(more, aws=user.aws)


@pytest.fixture(scope="module")
def applier(running: Running, shop: Place) -> Aws:
    """Somebody who may do what ``seatrial policy --role infra`` says, with the services that stay in the file."""
    user = User(running)
    user.give(infra_role(shop.settings, lower(build(shop.settings)), shop.aws))
    return user.aws


def with_(it: Place, more: str = "") -> Place:
    (it.root / "seatrial.toml").write_text(TOML.format(app="shop") + more)
    return replace(it, settings=load(it.root / "seatrial.toml", "local"), events=[])


def there(it: Place) -> dict[str, int]:
    """Return the tasks that each service of the cluster is to have."""
    ecs = it.aws.client("ecs")
    arns = ecs.list_services(cluster="shop-local")["serviceArns"]
    found = ecs.describe_services(cluster="shop-local", services=arns)["services"]
    return {each["serviceName"]: each["desiredCount"] for each in found if each["status"] == "ACTIVE"}


def stopped(it: Place, unit: str) -> list[dict[str, Any]]:
    ecs = it.aws.client("ecs")
    arns = ecs.list_tasks(cluster="shop-local", family=f"shop-local-{unit}", desiredStatus="STOPPED")["taskArns"]
    found: list[dict[str, Any]] = ecs.describe_tasks(cluster="shop-local", tasks=arns)["tasks"] if arns else []
    return found


def runs(it: Place) -> list[str]:
    """Return the tasks that the job's schedule has started."""
    ecs = it.aws.client("ecs")
    by = "chronos-schedule/shop-local-digest"
    return [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in ecs.list_tasks(cluster="shop-local", startedBy=by, desiredStatus=status)["taskArns"]
    ]


def test_what_comes_waits_for_the_next_release_and_nothing_else_moves(shop: Place) -> None:
    more, before = with_(shop, MORE), shop.revisions()
    said: list[str] = []
    with Asking(shop.url) as asking:
        apply(more.settings, shop.aws, said.append)
    assert set(asking.answers) == {"one"}
    assert shop.revisions() == before
    assert there(shop) == {"web": 1, "worker": 1, "site": 0, "packer": 0}
    assert "note: site has no tasks before the next release, and until then /site/* answers 503" in said
    assert shop.aws.client("scheduler").get_schedule(Name="shop-local-digest")["State"] == "DISABLED"


def test_the_release_starts_it(shop: Place, releaser: Place) -> None:
    releaser.commit("two")
    assert runs(shop) == []
    assert releaser.deploy().exit_code == 0
    assert there(shop) == {"web": 1, "worker": 1, "site": 1, "packer": 2}
    eventually(lambda: runs(shop))
    more = with_(shop, MORE + 'environment = { FEATURE = "on" }\n')
    said: list[str] = []
    apply(more.settings, shop.aws, said.append)
    assert any("and jobs' schedules, are the releases'" in line for line in said)
    assert shop.aws.client("scheduler").get_schedule(Name="shop-local-digest")["State"] == "ENABLED"


def test_what_the_live_release_still_has_is_not_removed(shop: Place, applier: Aws) -> None:
    less = with_(shop)
    with pytest.raises(UsageError, match="would be removed, and release 2, which serves, still has it") as refused:
        apply(less.settings, applier)
    assert refused.value.message.startswith(("packer, site would", "site, packer would"))
    assert "seatrial deploy local" in (refused.value.hint or "")
    assert "--replace PackerService" in (refused.value.hint or "")
    assert there(shop) == {"web": 1, "worker": 1, "site": 1, "packer": 2}


def test_after_the_release_they_go_and_nobody_meets_an_error_or_loses_work(shop: Place, applier: Aws) -> None:
    less = with_(shop)
    less.commit("three")
    notes = release.plan(less.settings, less.root, less.aws).plan.notes
    assert any("not in seatrial.toml any more" in note and "infra apply" in note for note in notes)
    assert less.deploy().exit_code == 0
    assert there(shop) == {"web": 1, "worker": 1, "site": 1, "packer": 2}
    said: list[str] = []
    with Asking(shop.url, "/site/x") as asking:
        assert apply(less.settings, applier, said.append).stacks[1].action == "updated"
    assert set(asking.answers) == {"two", "three"}  # first by the service that goes, then by the one that stays
    assert asking.answers == sorted(asking.answers, reverse=True)
    assert "site: requests do not come here any more" in said
    assert there(shop) == {"web": 1, "worker": 1}
    packers = stopped(shop, "packer")
    assert [each["containers"][0]["exitCode"] for each in packers] == [0, 0]  # SIGTERM, and time to end


def test_a_service_may_be_removed_at_once_by_name(shop: Place) -> None:
    more = with_(shop, MORE)
    apply(more.settings, shop.aws)
    more.commit("four")
    assert more.deploy().exit_code == 0
    names = frozenset({"SiteService", "PackerService"})
    apply(with_(shop).settings, shop.aws, replace=names)
    assert there(shop) == {"web": 1, "worker": 1}
