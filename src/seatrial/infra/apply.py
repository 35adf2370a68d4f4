"""Bring an environment's two stacks to what seatrial.toml says: the base, and then the app that stands on it.

For each: upload the templates → make a change set → look at it, and refuse what would lose data → carry it out →
follow it to its end. A stack that has nothing to change is left alone.

Whether there is anything to change is decided by the root template, which names nested ones by their content: change
sets report nested stacks as changed that are not (aws-cloudformation/cloudformation-coverage-roadmap#759). So right
after a release there is nothing to change, and only with a change of the template is the live image put in. How that
is done without moving a service says :func:`_app`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.aws.clock import SystemClock
from seatrial.aws.cloudformation import CloudFormation
from seatrial.config.strategies import CodeDeploy, Shifting
from seatrial.errors import NeedsHuman, ReleaseFailed, UsageError
from seatrial.infra.artifacts import upload
from seatrial.infra.changes import Planned, planned, refuse_losses
from seatrial.infra.controllers import refuse_other_controllers, refuse_what_is_codedeploys
from seatrial.infra.follow import Follower
from seatrial.infra.live import clear_leftovers, look
from seatrial.infra.pauses import Pauses
from seatrial.stack import names
from seatrial.stack.build import build
from seatrial.stack.gaps import gaps
from seatrial.stack.lowering import lower
from seatrial.stack.lowering.data import DATABASE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.aws.clock import Clock
    from seatrial.aws.cloudformation import Stack
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.stack.graph import Bundle

    Approve = Callable[[str, tuple[Planned, ...]], bool]

_BROKEN = ("ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_FAILED", "CREATE_FAILED")


@dataclass(frozen=True)
class StackOutcome:
    """What became of one stack. ``action`` is created, updated or unchanged."""

    stack: str
    action: str
    changes: tuple[Planned, ...]


@dataclass(frozen=True)
class Applied:
    """Both stacks' outcomes, and the outputs of the app stack."""

    stacks: tuple[StackOutcome, ...]
    outputs: Mapping[str, str]


def apply(
    settings: Settings,
    aws: Aws,
    progress: Callable[[str], None] = lambda _: None,
    *,
    approve: Approve = lambda _stack, _changes: True,
    replace: frozenset[str] = frozenset(),
    clock: Clock | None = None,
) -> Applied:
    """Create or update the base stack and the app stack of an environment.

    ``approve`` is asked with a stack's name and its changes before they are carried out. ``replace`` are logical names
    of databases and buckets that may be lost. Raises :class:`~seatrial.errors.UsageError` where nothing was changed
    (not approved, data would be lost, somebody else is changing the stack), :class:`~seatrial.errors.ReleaseFailed`
    where the change failed and was rolled back, :class:`~seatrial.errors.NeedsHuman` where the rollback failed too.
    """
    base, app = lower(build(settings))
    for gap in gaps(settings):
        progress(f"note: {gap}")
    run = _Run(settings, aws, progress, approve, replace, clock or SystemClock())
    outcomes = [_base(run, _wanted(base, run))]
    outcomes.append(_app(run, _wanted(app, run)))
    stack = run.cloudformation.stack(app.stack)
    return Applied(tuple(outcomes), {} if stack is None else stack.outputs)


@dataclass(frozen=True)
class _Run:
    settings: Settings
    aws: Aws
    progress: Callable[[str], None]
    approve: Approve
    replace: frozenset[str]
    clock: Clock

    @property
    def cloudformation(self) -> CloudFormation:
        return CloudFormation(self.aws)


@dataclass(frozen=True)
class _Wanted:
    """What a stack is to become."""

    name: str
    template: str


def _wanted(bundle: Bundle, run: _Run) -> _Wanted:
    return _Wanted(bundle.stack, upload(bundle, run.settings, run.aws, run.progress))


@dataclass(frozen=True)
class _Ready:
    """A change set that is waiting to be carried out."""

    id: str
    changes: tuple[Planned, ...]


def _base(run: _Run, wanted: _Wanted) -> StackOutcome:
    """Bring the base to its template. The name of the first database is kept: a change would replace the instance."""
    name = wanted.name
    stack = _at_rest(run, name)
    if stack is not None and run.cloudformation.template(stack.id) == wanted.template:
        return StackOutcome(name, "unchanged", ())
    database = run.settings.database
    parameters: dict[str, str | None] = {}
    if database is not None:
        known = stack is not None and DATABASE_NAME in stack.parameters
        parameters[DATABASE_NAME] = None if known else database.name
    ready = _prepare(run, name, wanted, parameters, new=stack is None)
    if ready is None:
        return StackOutcome(name, "unchanged", ())
    _confirm(run, name, ready, {}, new=stack is None)
    return _carry_out(run, name, ready, new=stack is None)


def _app(run: _Run, wanted: _Wanted) -> StackOutcome:
    """Bring the app to its template without moving a service.

    1. The template that the stack has ends here, whatever was released since.
    2. Otherwise the change is made with the live image, and looked at.
    3. Revisions that a failed release left are deregistered: services name their family, and updating one would start
       them.
    4. The first time after a release has been to a service, its count is handed over in an update of its own, while
       the newest revision is the one that runs, so that nothing restarts. So are the weights that releases have moved:
       should the change fail, CloudFormation goes back to what it was told before, and that must be what serves.
    5. The change is carried out.
    """
    name = wanted.name
    stack = _at_rest(run, name)
    if stack is not None and run.cloudformation.template(stack.id) == wanted.template:
        return StackOutcome(name, "unchanged", ())
    live = look(run.settings, run.aws)
    refuse_other_controllers(run.settings, live.controllers)
    if live.alternate and not isinstance(run.settings.target.strategy, Shifting | CodeDeploy):
        raise UsageError(
            "the strategy cannot become rolling now: the alternate target group of "
            f"{', '.join(sorted(live.alternate))} serves, which would go; nothing was changed",
            hint=f"release once more with the strategy as it was, which changes the groups: "
            f"seatrial deploy {run.settings.name}",
        )
    parameters = live.parameters(run.settings)
    known = {} if stack is None else stack.parameters
    ready = _prepare(run, name, wanted, parameters, new=stack is None)
    if ready is None:
        return StackOutcome(name, "unchanged", ())
    _confirm(run, name, ready, live.controllers, new=stack is None)
    clear_leftovers(live, run.aws)
    for revision in live.leftovers:
        run.progress(f"deregistered {revision}, left by a release that did not go live")
    to_hand_over = {
        key: value
        for key, value in parameters.items()
        if key in known and key != names.IMAGE_PARAMETER and value not in ("false", known[key])
    }
    if stack is not None and to_hand_over:
        run.cloudformation.delete_change_set(ready.id)
        _hand_over(run, stack, to_hand_over)
        ready = _prepare(run, name, wanted, parameters, new=False)
    return StackOutcome(name, "updated", ()) if ready is None else _carry_out(run, name, ready, new=stack is None)


def _meanwhile(run: _Run) -> Callable[[], None]:
    """Return what is done while a stack changes: where deployments pause for smoke checks, they must be let go on."""
    if not isinstance(run.settings.target.strategy, Shifting):
        return lambda: None
    return Pauses(run.settings, run.aws, run.clock, run.progress).answer


def _hand_over(run: _Run, stack: Stack, parameters: Mapping[str, str]) -> None:
    """Say in the stack's present template, and with its present image, what releases own now, and how that stands."""
    if "true" in parameters.values():
        run.progress(f"{stack.name}: from now on the counts of services are the releases'")
    if any(value != "true" for value in parameters.values()):
        run.progress(f"{stack.name}: the weights of listener rules are those that the last release left")
    ready = _prepare(run, stack.name, None, {key: parameters.get(key) for key in stack.parameters}, new=False)
    if ready is not None:
        _carry_out(run, stack.name, ready, new=False)


def _at_rest(run: _Run, name: str) -> Stack | None:
    """Return the stack, or None where it has to be made; one whose creation failed is removed first."""
    stack = run.cloudformation.stack(name)
    if stack is None or stack.status == "REVIEW_IN_PROGRESS":
        return None
    if stack.status == "ROLLBACK_COMPLETE":
        run.progress(f"{name}: removing what is left of a creation that failed")
        _remove(run, stack)
        return None
    if stack.status.endswith("_IN_PROGRESS"):
        raise UsageError(f"the stack {name} is being changed ({stack.status})", hint="wait until that has ended")
    if stack.status in _BROKEN:
        raise NeedsHuman(
            f"the stack {name} is in {stack.status}: {stack.reason or 'CloudFormation gives no reason'}",
            hint=f"aws cloudformation continue-update-rollback --stack-name {name}, or look at it in the console",
        )
    return stack


def _prepare(
    run: _Run, name: str, wanted: _Wanted | None, parameters: Mapping[str, str | None], *, new: bool
) -> _Ready | None:
    """Make a change set and return it, or None where there is nothing to change. No ``wanted``: the same template."""
    template = None if wanted is None else wanted.template
    arn = run.cloudformation.create_change_set(
        name,
        _change_set_name(run, template, parameters),
        template=template,
        parameters=parameters,
        tags={"seatrial-app": run.settings.app.name},
        new=new,
    )
    while (change_set := run.cloudformation.change_set(arn)).status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        run.clock.sleep(run.aws.pace)
    if change_set.empty:
        run.cloudformation.delete_change_set(arn)
        return None
    if change_set.status != "CREATE_COMPLETE":
        why = run.cloudformation.why(change_set)
        _discard(run, name, arn, new=new)
        raise UsageError(f"CloudFormation refuses the change of {name}, which was not carried out: {why}")
    return _Ready(arn, tuple(planned(change_set, run.cloudformation)))


def _change_set_name(run: _Run, template: str | None, parameters: Mapping[str, str | None]) -> str:
    what = hashlib.sha256(repr((template, sorted(parameters.items(), key=str))).encode()).hexdigest()[:12]
    return f"seatrial-{run.clock.now():%Y%m%d-%H%M%S}-{what}"


def _confirm(run: _Run, name: str, ready: _Ready, controllers: Mapping[str, str], *, new: bool) -> None:
    """Return if the change may be carried out; otherwise throw it away and raise."""
    try:
        refuse_losses(ready.changes, run.replace)
        refuse_what_is_codedeploys(ready.changes, controllers)
        confirmed = run.approve(name, ready.changes)
    except UsageError:
        _discard(run, name, ready.id, new=new)
        raise
    if not confirmed:
        _discard(run, name, ready.id, new=new)
        raise UsageError(f"the change of {name} was not confirmed; it was not carried out")


def _carry_out(run: _Run, name: str, ready: _Ready, *, new: bool) -> StackOutcome:
    """Carry a change set out and follow it to its end."""
    stack = run.cloudformation.stack(name)
    assert stack is not None  # a change set was made for it just now
    follower = Follower(run.cloudformation, stack.id, run.clock, run.aws.pace, run.progress, _meanwhile(run))
    run.cloudformation.execute(ready.id)
    end = follower.to_the_end()
    if end.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return StackOutcome(name, "created" if new else "updated", ready.changes)
    what = f"the stack {name} failed: {end.cause}" if end.cause else f"the stack {name} failed"
    if end.status.endswith("ROLLBACK_COMPLETE"):
        raise ReleaseFailed(f"{what}; everything is as it was before", hint="correct the cause and apply again")
    raise NeedsHuman(
        f"{what}; it is now in {end.status}",
        hint=f"aws cloudformation describe-stack-events --stack-name {name}",
    )


def _discard(run: _Run, name: str, change_set: str, *, new: bool) -> None:
    """Leave nothing of a change set that is not carried out; a new stack exists only for its sake."""
    run.cloudformation.delete_change_set(change_set)
    stack = run.cloudformation.stack(name) if new else None
    if stack is not None:
        run.cloudformation.delete_stack(stack.name)


def _remove(run: _Run, stack: Stack) -> None:
    run.cloudformation.delete_stack(stack.name)
    while (left := run.cloudformation.stack(stack.id)) is not None and left.status.endswith("_IN_PROGRESS"):
        run.clock.sleep(run.aws.pace)
    if left is not None and left.status != "DELETE_COMPLETE":
        raise NeedsHuman(f"the stack {stack.name} cannot be removed: {left.reason or left.status}")
