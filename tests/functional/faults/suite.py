"""One fault under one strategy: it happens while users ask, the end is as the table says, the next release works."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Any

from tests.functional.emulator.support import eventually
from tests.functional.faults.stage import BEGUN, At, Cli, Shop, Users

if TYPE_CHECKING:
    from tests.functional.faults.table import Fault


def happens(shop: Shop, fault: Fault) -> None:
    """Make it happen, and look at everything that the table says."""
    _at_peace(shop)
    old, before = shop.answer(), shop.revisions()
    _prepare(shop, fault)
    new = shop.write(**fault.modes)
    try:
        with Users(shop.url) as users:
            cli = Cli(shop, "deploy", "local", "--json", at=fault.at)
            document = cli.end()
            assert not shop.proxy.waits, cli.said
            lost = shop.proxy.lost
            end = _settled(shop, fault, old, new, before)
    finally:
        _heal(shop, fault)
    _as_said(fault, cli, document)
    assert shop.answer() == end, (document, cli.said)
    assert users.answers
    assert {*users.answers} <= {old, new, *users.failed}
    assert fault.serves != "old" or shop.page() == "ok"
    if fault.serves == "old" and not fault.shown:
        assert new not in users.answers
    if fault.trouble is not None and fault.trouble.kind == "answers lost":
        assert lost >= {"PutParameter", "RegisterTaskDefinition", "RunTask", "UpdateService"}
    if not fault.loses:
        assert not users.failed, (users.failed, cli.said)
    elif fault.at_most is not None:
        assert len(users.failed) <= fault.at_most, (users.failed, cli.said)
    assert shop.locked is fault.held
    if fault.then:
        _next(shop, fault, cli)


def _at_peace(shop: Shop) -> None:
    """Have a version that serves: the first one, or the next after a row that ended as it should not."""
    if shop.locked or shop.records.serving() is None or len({*shop.versions().values()}) != 1:
        shop.write()
        outcome = shop.deploy(take_over=True)
        assert outcome.exit_code == 0, outcome


def _prepare(shop: Shop, fault: Fault) -> None:
    if fault.bake is not None:
        shop.bake(fault.bake)
    if fault.tasks != 1:
        shop.scale(fault.tasks)
    shop.proxy.trouble(fault.trouble)
    if fault.first is not None:
        call, do = fault.first
        shop.proxy.before(call, lambda: do(shop))


def _heal(shop: Shop, fault: Fault) -> None:
    shop.proxy.trouble(None)
    if fault.heal is not None:
        fault.heal(shop)
    if fault.bake is not None:
        shop.bake(1)
    if fault.tasks != 1:
        shop.scale(1)


def _as_said(fault: Fault, cli: Cli, document: dict[str, Any]) -> None:
    """Exit code, result, and words: the true cause is in the document, and what happened on the way on stderr."""
    assert document["exit_code"] == fault.exit_code, (document, cli.said)
    assert document.get("result", "") == fault.result, document
    told = json.dumps({key: document.get(key) for key in ("message", "causes", "hint")}).replace('\\"', '"')
    for word in fault.words:
        assert re.search(word, told) or word in told, (word, told, cli.said)
    for word in fault.said:
        assert word in cli.said, (word, cli.said)


def _settled(shop: Shop, fault: Fault, old: str, new: str, before: dict[str, str]) -> str:
    """Return the version that must serve, once every service is at one revision: all old, all new, or as told."""
    if fault.serves == "old":
        assert shop.revisions() == before
        return old
    if fault.serves == "new":
        assert shop.versions() == {"web": shop.released_commit, "worker": shop.released_commit}
        return new
    # Nobody follows it any more. A deployment that shifts traffic is held before its smoke checks: users see the old
    # version. A rolling one goes on to its end.
    if shop.strategy == "rolling":
        eventually(lambda: shop.at_rest("web"))
    # ECS names the revision that a deployment goes to, CodeDeploy the one that has the traffic.
    moves = shop.strategy != "codedeploy"
    assert shop.versions()["web"] == shop.released_commit if moves else shop.revisions() == before
    assert shop.revisions()["worker"] == before["worker"]
    return new if shop.strategy == "rolling" else old


def first_release_is_killed(shop: Shop) -> None:
    """A first release is killed while ECS starts it; the next one works, although there is nothing to go back to."""
    shop.write()
    killed = Cli(shop, "deploy", "local", "--json", at=(At(BEGUN, lambda cli: cli.process.kill()),))
    assert killed.end()["exit_code"] == -signal.SIGKILL
    good = shop.write()
    document = Cli(shop, "deploy", "local", "--take-over", "--json").end()
    assert document["exit_code"] == 0, document
    assert (shop.answer(), shop.locked) == (good, False)
    assert {*shop.versions().values()} == {shop.released_commit}


def _next(shop: Shop, fault: Fault, cli: Cli) -> None:
    """The next release of a good version works, and loses nothing."""
    if fault.held:
        refused = Cli(shop, "deploy", "local", "--json", directly=True).end()
        assert refused["exit_code"] == 2, refused
        holder = rf"another release holds the lock: \S+ \(process {cli.process.pid}\), for \d+ (s|min)"
        assert re.match(holder, refused["error"]["message"]), refused
        assert "--take-over" in refused["error"]["hint"]
    good = shop.write()
    with Users(shop.url) as users:
        if fault.held:
            document = Cli(shop, "deploy", "local", "--take-over", "--json", directly=True).end()
            assert document["exit_code"] == 0, document
        else:
            outcome = shop.deploy()
            assert outcome.exit_code == 0, outcome
    assert (shop.answer(), shop.page()) == (good, "ok")
    assert not users.failed, users.failed
    assert not shop.locked
    shop.events.clear()
