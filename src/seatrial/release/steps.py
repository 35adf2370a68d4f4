"""The words of a plan: what a release does, one frozen step after the other.

A step says what is to be done and to what; it holds no client and does nothing. ``plan`` prints them, the executor
runs the very same objects, and the permissions of a release are computed from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.aws.ecs import revision_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.config.smoke import Smoke
    from seatrial.images.built import Kind


@dataclass(frozen=True)
class Step:
    """One step. ``kind`` is its word, ``title`` its line, ``lines`` what it touches."""

    @property
    def kind(self) -> str:
        """One word."""
        return type(self).__name__.lower()

    @property
    def title(self) -> str:
        """One line for people."""
        raise NotImplementedError

    @property
    def lines(self) -> tuple[str, ...]:
        """What it touches, one thing a line."""
        return ()

    def to_json(self) -> dict[str, Any]:
        """Return the step as a JSON object."""
        return {"kind": self.kind, "title": self.title, "details": list(self.lines)}


@dataclass(frozen=True)
class Verify(Step):
    """Read the project and see that it fits seatrial.toml. ``project`` is False where an image exists already."""

    project: bool

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return "verify" + (" the project" if self.project else "")


@dataclass(frozen=True)
class Build(Step):
    """Make the image. ``revision`` is the git revision, None for the working tree."""

    version: str
    revision: str | None
    image_kind: Kind

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return f"build {'the image' if self.image_kind == 'docker' else 'the bundle'} {self.version}"

    @property
    def lines(self) -> tuple[str, ...]:
        """See :class:`Step`."""
        return (f"from {self.revision or 'the working tree'}",)


@dataclass(frozen=True)
class Push(Step):
    """Push the image to ECR, from where on it is a digest."""

    version: str
    repository_uri: str

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return f"push it to {self.repository_uri}:{self.version}"


@dataclass(frozen=True)
class NewRevision:
    """A revision to make: of ``unit``, from ``base`` (ARN).

    ``copy`` takes ``base`` as it is (a rollback); otherwise the image becomes this release's. ``newest`` asks that
    it be the family's newest, which is the one that a schedule starts.
    """

    unit: str
    base: str
    copy: bool = False
    newest: bool = False


@dataclass(frozen=True)
class Register(Step):
    """Register the next task definitions; one that would change nothing is not registered."""

    revisions: tuple[NewRevision, ...]
    what: str

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return f"register the task definitions of {self.what}"

    @property
    def lines(self) -> tuple[str, ...]:
        """See :class:`Step`."""
        return tuple(f"{each.unit}, from {revision_name(each.base)}" for each in self.revisions)


@dataclass(frozen=True)
class CheckMigrations(Step):
    """See that no pending migration breaks the version that serves.

    ``known`` says that the files were looked at already, when the plan was made; else a task of ``unit`` on the
    release's own image tells what its migrations are. ``backwards``: it was asked instead whether older code can live
    with those that are applied.
    """

    unit: str
    known: bool
    found: str
    backwards: bool = False

    @property
    def kind(self) -> str:
        """One word."""
        return "migrations"

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return "check the migrations applied since" if self.backwards else "check the pending migrations"

    @property
    def lines(self) -> tuple[str, ...]:
        """See :class:`Step`."""
        return (self.found,) if self.known else (f"by a task of {self.unit} on this image, because {self.found}",)


@dataclass(frozen=True)
class Gate(Step):
    """Run a task on the new revision; anything but exit code 0 ends the release before a service changes."""

    unit: str
    command: tuple[str, ...]
    timeout: int

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return f"run {self.unit}, which must exit 0"

    @property
    def lines(self) -> tuple[str, ...]:
        """See :class:`Step`."""
        return (f"{' '.join(self.command)} (at most {self.timeout} s)",)


@dataclass(frozen=True)
class LambdaHook:
    """A function (name or ARN) that is asked at a ``stage``; ``label`` is what people call it."""

    stage: str
    function: str
    label: str


@dataclass(frozen=True)
class ByCodeDeploy:
    """What CodeDeploy deploys a service with. The deployment group is called like the service.

    ``gates`` are the gate tasks that the hook BeforeInstall runs.
    """

    application: str
    port: int
    hooks: tuple[LambdaHook, ...] = ()
    gates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One service's change. ``previous`` is the ARN that it goes back to.

    ``desired`` is the count to set, None to leave it alone; it is set only on a service that no release has been to.
    ``patience`` is how many seconds the deployment may take before it is turned back. ``strategy`` is ECS's name for
    how the service changes, CODEDEPLOY where it is not ECS that does it (``codedeploy``); ``pauses`` says that the
    deployment is held when only test traffic has moved. ``hooks`` are asked by ECS. ``returns`` is the
    deployment under way (its ARN, or CodeDeploy's id) that is to be taken back, where that is the whole change.
    """

    unit: str
    previous: str
    desired: int | None
    patience: float
    health_path: str | None = None
    command: tuple[str, ...] = ()
    strategy: str = "ROLLING"
    pauses: bool = False
    hooks: tuple[LambdaHook, ...] = ()
    codedeploy: ByCodeDeploy | None = None
    returns: str | None = None

    @property
    def shifts(self) -> bool:
        """Whether the new tasks start beside the old ones and traffic is moved to them."""
        return self.strategy != "ROLLING"


@dataclass(frozen=True)
class Check:
    """A smoke check. ``unit`` is the service with whose task definition a command of it runs."""

    name: str
    smoke: Smoke
    unit: str


@dataclass(frozen=True)
class Roll(Step):
    """Move services to their new revisions, at the same time.

    The ``last`` stage waits until ECS says of every service that it is done. One before it only waits until the new
    tasks have taken over: draining and stopping the old ones, a minute or two on AWS, goes on beside the next stage,
    and so does the bake time where traffic is shifted. ``checks`` are made where deployments pause.
    """

    changes: tuple[Change, ...]
    last: bool = True
    checks: tuple[Check, ...] = ()

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        *others, last = (each.unit for each in self.changes)
        return f"roll out {', '.join(others)} and {last}" if others else f"roll out {last}"

    @property
    def lines(self) -> tuple[str, ...]:
        """See :class:`Step`."""
        hooks = [
            f"{each.unit} asks {hook.label} ({hook.function.rpartition(':')[2]}) at {hook.stage}"
            for each in self.changes
            for hook in (*each.hooks, *(each.codedeploy.hooks if each.codedeploy else ()))
        ]
        changes = [f"{each.unit}, from {revision_name(each.previous)}{_how(each)}" for each in self.changes]
        return (
            *changes,
            *hooks,
            *(f"smoke check {each.name}, before users see it: {each.smoke.words}" for each in self.checks),
        )


@dataclass(frozen=True)
class StartSchedules(Step):
    """Turn on the schedules of jobs that no release had before."""

    units: tuple[str, ...]

    @property
    def kind(self) -> str:
        """One word."""
        return "schedules"

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return f"turn on the schedule{'s' if len(self.units) > 1 else ''} of {' and '.join(self.units)}"


@dataclass(frozen=True)
class Retire(Step):
    """Stop services that release number ``release`` did not have, once it serves again."""

    units: tuple[str, ...]
    release: int

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return f"stop {' and '.join(self.units)}, which release {self.release} did not have"

    @property
    def lines(self) -> tuple[str, ...]:
        """See :class:`Step`."""
        return tuple(f"{unit}, to 0 tasks; the next release that has it starts it" for unit in self.units)


def _how(change: Change) -> str:
    if change.returns is not None:
        who = "ECS" if change.codedeploy is None else "CodeDeploy"
        return f", back by {who}: its deployment is under way, and the tasks of before still run"
    count = f", with {change.desired} tasks (none run yet)" if change.desired is not None else ""
    moved = f", {change.strategy.lower().replace('_', '/')}: beside it, then traffic is moved" if change.shifts else ""
    return count + moved


@dataclass(frozen=True)
class Keep(Step):
    """Write down what is released now."""

    prefix: str

    @property
    def kind(self) -> str:
        """One word."""
        return "record"

    @property
    def title(self) -> str:
        """See :class:`Step`."""
        return f"record the release in {self.prefix}/releases"


@dataclass(frozen=True)
class Plan:
    """What is to be done. ``digest`` is None while the image is not built.

    ``revisions`` are those known beforehand (a rollback's), by unit; ``site`` and ``site_version`` are the site build
    that is live afterwards, as far as that is known. ``notes`` are for the person who decides.
    """

    environment: str
    verb: str
    version: str
    digest: str | None
    steps: tuple[Step, ...]
    revisions: Mapping[str, str]
    notes: tuple[str, ...] = ()
    site: str = ""
    site_version: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object."""
        return {
            "environment": self.environment,
            "verb": self.verb,
            "version": self.version,
            "digest": self.digest,
            "site": {"build": self.site or None, "version": self.site_version} if self.site_version else None,
            "notes": list(self.notes),
            "steps": [each.to_json() for each in self.steps],
        }
