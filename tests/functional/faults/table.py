"""Every way in which a release can go wrong, and what must come of it: the one table of the faults.

:mod:`tests.functional.faults.suite` makes each happen under each strategy; docs/releases.md shows it to users.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tests.functional.faults.proxy import Trouble
from tests.functional.faults.stage import BEGUN, CHANGES, LONG, At, Cli, Shop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: old, new: all services. told: what was told to change ends by ECS alone, for seatrial cannot do any more.
Serves = Literal["old", "new", "told"]

_NOT_ROLLED = "a rolling update has no stage at which users see only the old version and checks the new one"
_AS_BLUE_GREEN = "until the first part of the traffic moves, a canary goes through the very stages of blue/green"
_NOT_BEGUN = "no service was told to change yet, so the strategy has not begun"
_NO_SITE = "the site comes after the services, whatever their strategy"
_NO_STRATEGY = "what repeats calls knows no strategies; that the network is away is tried under others too"
#: Tried under one strategy only, and why that says it for all.
_STARTS = {"canary": _AS_BLUE_GREEN}
_ONCE = dict.fromkeys(("blue_green", "canary", "codedeploy"), _NOT_BEGUN)
_CALLS = dict.fromkeys(("blue_green", "canary", "codedeploy"), _NO_STRATEGY)
_SITE = dict.fromkeys(("blue_green", "canary", "codedeploy"), _NO_SITE)
_SAID_ELSEWHERE = (_AS_BLUE_GREEN, _NOT_BEGUN, _NO_STRATEGY)
_CHECKED = {"rolling": _NOT_ROLLED, **_STARTS}


@dataclass(frozen=True)
class Fault:
    """One row.

    ``name``, ``seen`` and ``loses`` (why requests fail on AWS, too; empty where none does) are for users. ``words``
    must be in the message or the causes, ``said`` in what is told on the way. ``first`` is done before the first call
    that matches goes through, ``at`` at lines that seatrial writes, one after the other. ``shown``: users may have seen
    the new version although the old one serves in the end. ``at_most`` is how many requests may fail, None for any
    number where ``loses`` says why. ``then``: a good release follows at once; where nothing was touched, or the release
    itself went well, that of the next row is the next. ``but`` has the strategies it is not tried under, and why.
    """

    name: str
    seen: str
    exit_code: int
    result: str
    serves: Serves
    words: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    loses: str = ""
    at_most: int | None = None
    shown: bool = False
    held: bool = False
    modes: Mapping[str, Any] = field(default_factory=dict)
    first: tuple[str, Callable[[Shop], object]] | None = None
    at: tuple[At, ...] = ()
    trouble: Trouble | None = None
    bake: int | None = None
    tasks: int = 1
    then: bool = True
    heal: Callable[[Shop], object] | None = None
    but: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def _signalled(number: int) -> Callable[[Cli], object]:
    return lambda cli: cli.signal(number)


def _second(cli: Cli) -> None:
    """Release a second time while the first release goes on."""
    second = Cli(cli.shop, "deploy", "local", "--json").end()
    assert second["exit_code"] == 2, second
    assert (
        f"another release holds the lock: {cli.shop.aws.caller()} (process {cli.process.pid}), for "
        in (second["error"]["message"])
    )


def _interrupted(step: str, line: str, *, number: int = signal.SIGINT, **more: Any) -> Fault:
    what = "Ctrl-C" if number == signal.SIGINT else "SIGTERM (a cancelled job)"
    return Fault(
        f"{what} {step}",
        "interrupted, and at which step",
        1,
        "rolled_back",
        "old",
        ("interrupted",),
        at=(At(line, _signalled(number)),),
        **more,
    )


_ROLLS, _WORKERS = r"^\[\d+/\d+\] roll out web$", r"^\[\d+/\d+\] roll out worker$"
_FORGETS = r"CloudFront invalidation \w+ of "
_CUT_OFF = "in the end what ECS made of it: the new version where it was on its way, the old one where ECS held it"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "an image that cannot be pulled",
        "the image cannot be pulled, with ECS's reason",
        1, "rolled_back", "old", ("the image cannot be pulled",),
        first=(CHANGES, lambda shop: shop.delete_image()),
        but=_STARTS,
    ),
    Fault(
        "a version that ends at its start",
        "the line of its log that says why",
        1, "rolled_back", "old", ("the image has no Python module no_such_module",),
        modes={"WEB": "exits"},
        but=_STARTS,
    ),
    Fault(
        "a version that never becomes ready",
        "what its health check is answered",
        1, "rolled_back", "old", ("web answers /ready with 503",),
        modes={"WEB": 503},
        but=_STARTS,
    ),
    Fault(
        "a version that is ready and then crashes",
        "how many tasks ended by themselves, their exit code and log",
        1, "rolled_back", "old", (r"\d tasks of the new version ended by themselves|fail again and again",
                                  "exit code 3"),
        loses="those that the crashing tasks were given, and all while no other task has traffic",
        modes={"WEB": "crashes"}, shown=True, bake=LONG,
    ),
    Fault(
        "a start that takes longer than the grace period",
        "nothing listens when the grace period is over",
        1, "rolled_back", "old", ("nothing listens yet at the port of web when its grace period is over",),
        modes={"WEB": "slow"},
        but=_STARTS,
    ),
    Fault(
        "a version that needs more memory than it has",
        "OutOfMemoryError, exit code 137",
        1, "rolled_back", "old", ("web used more memory than it may and was killed (OutOfMemoryError)",),
        modes={"WEB": "hungry"},
        but=_STARTS,
    ),
    Fault(
        "a migration that fails",
        "the database's own words",
        1, "rolled_back", "old", ("migrate exited with code 1", 'column "name" of relation "parts" already'),
        modes={"GATE": "fails"}, then=False,
        but=_ONCE,
    ),
    Fault(
        "a migration that hangs",
        "the gate task did not end in time, and was stopped",
        1, "rolled_back", "old", ("migrate did not end within 5 s",),
        modes={"GATE": "hangs"}, then=False,
        but=_ONCE,
    ),
    Fault(
        "a smoke check that fails",
        "the check, what it wanted and what it got",
        1, "rolled_back", "old", ("home: GET /home answered 500, not 200",),
        modes={"HOME": 500}, but=_CHECKED,
    ),
    Fault(
        "an alarm during the bake time",
        "the alarm's name",
        1, "rolled_back", "old", ("alarm", "errors"),
        shown=True, bake=LONG, at=(At(_WORKERS, lambda cli: cli.shop.alarm("ALARM")),),
        heal=lambda shop: shop.alarm("OK"),
    ),
    Fault(
        "tasks that ignore SIGTERM",
        "the release takes as long as their `stop_timeout`",
        0, "released", "new",
        modes={"WEB": "stubborn"},
    ),
    Fault(
        "the database is away for a while",
        "the tasks that are not ready, and why",
        0, "released", "new",
        loses="those that need the database, as without a release",
        first=(CHANGES, lambda shop: shop.database(there=False)),
        at=(At(r"web: task \w+ of NEW RUNNING .*unhealthy", lambda cli: cli.shop.database(there=True)),),
        heal=lambda shop: shop.database(there=True),
        then=False,
    ),
    Fault(
        "Redis does not answer",
        "the worker's log: the broker cannot be reached",
        1, "rolled_back", "old", ("the cache or broker cannot be reached",),
        shown=True,
        first=("RunTask", lambda shop: shop.broker(there=False)),
        at=(
            At(r"worker: (deployment ROLLBACK|\(service worker\) rolling)", lambda cli: cli.shop.broker(there=True)),
        ),
        heal=lambda shop: shop.broker(there=True),
    ),
    Fault(
        "a task of the old version is killed",
        "the task, and the one that ECS starts in its place",
        0, "released", "new",
        loses="those that the task was answering, or was given until the load balancer noticed",
        at_most=20, tasks=2, first=(CHANGES, lambda shop: shop.kill(newest=False)), then=False,
    ),
    Fault(
        "a task of the new version is killed",
        "the task, and the one that ECS starts in its place",
        0, "released", "new",
        loses="those that the task was answering, or was given until the load balancer noticed",
        at_most=20, tasks=2,
        at=(At(r"web: task \w+ of NEW RUNNING .*\(healthy\)", lambda cli: cli.shop.kill(newest=True)),), then=False,
    ),
    Fault(
        "AWS throttles for a while",
        "the call, and that it is asked again",
        0, "released", "new", said=("Rate exceeded", "asking again", "AWS answers again"),
        trouble=Trouble("throttled", CHANGES, 4), then=False,
        but=_CALLS,
    ),
    Fault(
        "AWS answers with errors of its own for a while",
        "the call, and that it is asked again",
        0, "released", "new", said=("InternalFailure", "asking again", "AWS answers again"),
        trouble=Trouble("fails", CHANGES, 4), then=False,
        but=_CALLS,
    ),
    Fault(
        "the network is away for a while",
        "the call, and that it is asked again",
        0, "released", "new", said=("asking again", "AWS answers again"),
        trouble=Trouble("cut", CHANGES, 4), then=False,
        but=_STARTS,
    ),
    Fault(
        "the network loses answers",
        "nothing: calls are repeated, and change nothing twice",
        0, "released", "new",
        trouble=Trouble("answers lost", ""), then=False,
    ),
    Fault(
        "the network is away for good",
        "that AWS cannot be reached, what ECS goes on with, whose the lock is",
        3, "needs_human", "told",
        ("got no answer", "by itself|holds web", "the release lock is still held by this release"),
        held=True, trouble=Trouble("cut", CHANGES),
        but=_STARTS,
    ),
    Fault(
        "the credentials expire",
        "that AWS does not accept them, what ECS goes on with, whose the lock is",
        3, "needs_human", "told",
        (r"does not accept the credentials \(ExpiredToken", "by itself|holds web", "the release lock is still held",
         "log in again"),
        held=True, trouble=Trouble("expired", CHANGES),
        but=_STARTS,
    ),
    Fault(
        "seatrial is killed (`kill -9`)",
        "nothing; the next release is refused and names the holder of the lock",
        -signal.SIGKILL, "", "told",
        held=True, at=(At(BEGUN, lambda cli: cli.process.kill()),),
        but=_STARTS,
    ),
    Fault(
        "a site that does not build",
        "the command, its exit code and its last lines",
        1, "rolled_back", "old", (r"the site does not build: `grep .*exit code 1",),
        modes={"SITE": "breaks"}, then=False,
        but=_SITE,
    ),
    Fault(
        "S3 fails in the middle of publishing the site, for good",
        "that the site is partly published, and whose the lock is",
        3, "needs_human", "new", ("of the site a part of", "the release lock is still held by this release"),
        modes={"SITE": "changes"}, held=True, trouble=Trouble("fails", "CopyObject"),
        but=_SITE,
    ),
    Fault(
        "seatrial is killed (`kill -9`) while it publishes the site",
        "nothing; `status` says that the site is not whole, and the next release makes it so",
        -signal.SIGKILL, "", "new",
        modes={"SITE": "changes"}, held=True, at=(At(_FORGETS, lambda cli: cli.process.kill()),),
        but=_SITE,
    ),
    Fault(
        "a second release at the same time",
        "the second is refused (exit code 2) and names the holder of the lock",
        0, "released", "new",
        at=(At(_ROLLS, _second),), then=False,
        but=_ONCE,
    ),
    _interrupted("while the image is built", r"^\[\d+/\d+\] build ", then=False, but=_ONCE),
    _interrupted("while task definitions are registered", r"^\[\d+/\d+\] register ", then=False, but=_ONCE),
    _interrupted("during a gate task", r"migrate \| migrating", modes={"GATE": "hangs"}, then=False, but=_ONCE),
    _interrupted("before users see the new version", BEGUN, shown=True, but=_STARTS),
    _interrupted("during a smoke check", r"\| checking", modes={"SMOKE": "hangs"}, but=_CHECKED),
    _interrupted("while workers change, and in the bake time", _WORKERS, shown=True, bake=LONG),
    _interrupted("during the rollout", BEGUN, number=signal.SIGTERM, shown=True, but=_STARTS),
)  # fmt: skip

_SERVES = {"old": "the old version", "new": "the new version", "told": _CUT_OFF}


def faults_of(strategy: str) -> list[Fault]:
    """Return the rows that are tried under a strategy: with ``SEATRIAL_EVERY_FAULT=1`` all that can happen under it."""
    every = os.environ.get("SEATRIAL_EVERY_FAULT") == "1"
    return [each for each in FAULTS if each.but.get(strategy) in (None, *(_SAID_ELSEWHERE if every else ()))]


def table() -> str:
    """Return the table for docs/releases.md."""
    lines = [
        "| what goes wrong | what you see | exit code | what serves then | requests lost on AWS |",
        "| --- | --- | --- | --- | --- |",
    ]
    for each in FAULTS:
        code = "none" if each.exit_code < 0 else str(each.exit_code)
        name = f"{each.name} (not `rolling`)" if each.but.get("rolling") == _NOT_ROLLED else each.name
        lines.append(f"| {name} | {each.seen} | {code} | {_SERVES[each.serves]} | {each.loses or 'none'} |")
    return "\n".join(lines)
