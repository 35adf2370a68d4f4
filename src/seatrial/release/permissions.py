"""The IAM permissions that a plan needs: computed from its steps, with the ARNs of this very environment. Pure.

Which actions know resources, and which only ``*``, is from the Service Authorization Reference; a test compares the
table with the copy of it that cfn-lint carries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.aws.permission import Permission
from seatrial.release.revisions import own_tags, roles
from seatrial.release.site.steps import BuildSite, Publish, UploadSite
from seatrial.release.steps import (
    Build,
    CheckMigrations,
    Gate,
    Keep,
    Plan,
    Push,
    Register,
    Retire,
    Roll,
    StartSchedules,
    Step,
    Verify,
)
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.aws.ecs import TaskDefinition
    from seatrial.config.models import Settings
    from seatrial.release.facts import Facts

_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


class Arns:
    """The ARNs of one environment."""

    def __init__(self, settings: Settings, facts: Facts) -> None:
        self._settings = settings
        self._facts = facts

    def of(self, service: str, resource: str) -> str:
        """Return an ARN in this account and region."""
        return f"arn:{self._facts.partition}:{service}:{self._facts.region}:{self._facts.account}:{resource}"

    def services(self, units: Iterable[str], kind: str = "service") -> tuple[str, ...]:
        """Return the ARNs of services, or (``kind``) of their service deployments or revisions."""
        end = "" if kind == "service" else "/*"
        return tuple(self.of("ecs", f"{kind}/{self._facts.stack.cluster}/{unit}{end}") for unit in units)

    def definitions(self, units: Iterable[str]) -> tuple[str, ...]:
        """Return the ARNs of all revisions of units."""
        return tuple(self.of("ecs", f"task-definition/{names.family(self._settings, unit)}:*") for unit in units)

    def schedules(self, jobs: Iterable[str]) -> tuple[str, ...]:
        """Return the ARNs of the schedules of jobs."""
        named = (names.schedule(names.family(self._settings, unit)) for unit in jobs)
        return tuple(self.of("scheduler", f"schedule/default/{each}") for each in named)

    @property
    def schedule_roles(self) -> str:
        """The roles that the app stack makes: CloudFormation names them after it."""
        return f"arn:{self._facts.partition}:iam::{self._facts.account}:role/{names.app_stack(self._settings)}-*"

    @property
    def tasks(self) -> str:
        """All tasks of the cluster."""
        return self.of("ecs", f"task/{self._facts.stack.cluster}/*")

    @property
    def cluster(self) -> str:
        """The cluster."""
        return self.of("ecs", f"cluster/{self._facts.stack.cluster}")

    def deployment_groups(self, units: Iterable[str]) -> tuple[str, ...]:
        """Return the ARNs of the CodeDeploy deployment groups of services."""
        application = names.deployment_application(self._settings)
        return tuple(self.of("codedeploy", f"deploymentgroup:{application}/{unit}") for unit in units)

    @property
    def deployment_application(self) -> str:
        """The CodeDeploy application."""
        return self.of("codedeploy", f"application:{names.deployment_application(self._settings)}")

    @property
    def deployment_configurations(self) -> str:
        """All deployment configurations: CodeDeploy's own, and the one that the stack may have made."""
        return self.of("codedeploy", "deploymentconfig:*")

    @property
    def repository(self) -> str:
        """The repository: ``ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`` is its URI."""
        return self.of("ecr", f"repository/{names.repository(self._settings)}")

    @property
    def records(self) -> str:
        """The release records and the lock."""
        return self.of("ssm", f"parameter{names.release_prefix(self._settings)}/*")

    @property
    def bucket(self) -> str:
        """The artifacts bucket. The ARN of a bucket has neither region nor account."""
        name = names.artifacts_bucket(self._settings, self._facts.account, self._facts.region)
        return f"arn:{self._facts.partition}:s3:::{name}"

    @property
    def logs(self) -> str:
        """The logs of releases in it."""
        return f"{self.bucket}/{names.log_prefix(self._settings)}*"

    def site(self, bucket: str, *folders: str) -> tuple[str, ...]:
        """Return the ARN of a site's bucket, or of what is in some of its folders."""
        arn = f"arn:{self._facts.partition}:s3:::{bucket}"
        return tuple(f"{arn}/{folder}" for folder in folders) or (arn,)

    def distribution(self, distribution: str) -> str:
        """Return the ARN of a CloudFront distribution, which has no region."""
        return f"arn:{self._facts.partition}:cloudfront::{self._facts.account}:distribution/{distribution}"

    def groups(self, units: Iterable[str]) -> tuple[str, ...]:
        """Return the ARNs of the log groups of units, with all their streams."""
        return tuple(self.of("logs", f"log-group:{names.log_group(self._settings, unit)}:*") for unit in units)

    def streams(self, units: Iterable[str]) -> tuple[str, ...]:
        """Return the ARNs of the log streams of units."""
        return tuple(
            self.of("logs", f"log-group:{names.log_group(self._settings, unit)}:log-stream:*") for unit in units
        )


def permissions(plan: Plan, settings: Settings, facts: Facts) -> tuple[Permission, ...]:
    """Return what the caller must be allowed to do for the plan, in the order in which it is needed."""
    arns = Arns(settings, facts)
    found = list(looking(settings, facts, arns, source=plan.verb != "rollback"))
    found.append(Permission(("ssm:PutParameter", "ssm:DeleteParameter"), (arns.records,), "hold the release lock"))
    found += [each for step in plan.steps for each in _of(step, facts, arns)]
    return tuple(dict.fromkeys(found))


def looking(settings: Settings, facts: Facts, arns: Arns, *, source: bool) -> Iterator[Permission]:
    """Yield what reading an environment needs. ``source``: whether an image is chosen too."""
    stack = arns.of("cloudformation", f"stack/{names.app_stack(settings)}/*")
    yield Permission(("cloudformation:DescribeStacks",), (stack,), "find the cluster, the repository and the network")
    yield Permission(("ecs:DescribeServices",), arns.services(facts.services), "see what is live")
    if facts.groups:
        yield Permission(
            ("codedeploy:GetDeploymentGroup", "codedeploy:ListDeployments"),
            arns.deployment_groups(facts.groups),
            "see what CodeDeploy is doing",
        )
    yield Permission(("ecs:DescribeTaskDefinition",), ("*",), "read the revisions that are live and the newest ones")
    yield Permission(
        ("ssm:GetParameter", "ssm:GetParameters"), (arns.records,), "read the releases before, and the lock"
    )
    if source:
        yield Permission(("ecr:DescribeImages",), (arns.repository,), "see whether the image is there already")


def _of(step: Step, facts: Facts, arns: Arns) -> Iterator[Permission]:  # noqa: C901 - a case for each kind of step
    match step:
        case Push():
            yield Permission(("ecr:GetAuthorizationToken",), ("*",), "log in to the registry")
            yield Permission(_PUSH, (arns.repository,), "push the image")
        case Register():
            units = tuple(each.unit for each in step.revisions)
            yield Permission(("ecs:RegisterTaskDefinition",), arns.definitions(units), f"register {step.what}")
            if any(own_tags(definition) for definition in map(facts.latest.__getitem__, units)):
                yield Permission(("ecs:TagResource",), arns.definitions(units), "keep the tags of the task definitions")
            yield from _passing(map(facts.latest.__getitem__, units))
        case Gate() | CheckMigrations():
            yield from _task(step.unit, facts, arns)
        case Roll():
            yield from _rolling(step, facts, arns)
        case StartSchedules():
            yield from starting(step.units, arns)
        case Retire():
            yield Permission(
                ("ecs:UpdateService",), arns.services(step.units), f"stop {', '.join(step.units)}, and see it end"
            )
        case Keep():
            yield Permission(("ssm:PutParameter",), (arns.records,), "record the release")
            yield Permission(("s3:PutObject",), (arns.logs,), "keep its log")
        case UploadSite():
            yield from _uploading(step, arns)
        case Publish():
            yield from _publishing(step, arns)
        case Verify() | Build() | BuildSite():
            return


def starting(jobs: Iterable[str], arns: Arns) -> Iterator[Permission]:
    """Yield what turning on the schedules of jobs needs: whoever changes one hands its role over again."""
    yield Permission(("scheduler:GetSchedule", "scheduler:UpdateSchedule"), arns.schedules(jobs), "turn jobs on")
    yield Permission(
        ("iam:PassRole",),
        (arns.schedule_roles,),
        "leave the schedules their roles",
        (("StringEquals", "iam:PassedToService", "scheduler.amazonaws.com"),),
    )


def _task(unit: str, facts: Facts, arns: Arns) -> Iterator[Permission]:
    yield Permission(("ecs:RunTask",), arns.definitions([unit]), f"run {unit}")
    yield Permission(("ecs:DescribeTasks", "ecs:StopTask"), (arns.tasks,), "watch it, stop it if it hangs")
    yield Permission(("logs:GetLogEvents",), arns.streams([unit]), "show its log")
    yield from _passing([facts.latest[unit]])


def _rolling(step: Roll, facts: Facts, arns: Arns) -> Iterator[Permission]:
    units = tuple(each.unit for each in step.changes)
    ecs = tuple(each.unit for each in step.changes if each.codedeploy is None)
    if ecs:
        yield Permission(
            ("ecs:UpdateService", "ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments"),
            arns.services(ecs),
            f"move {', '.join(ecs)} and find the deployment",
        )
        yield Permission(
            ("ecs:DescribeServiceDeployments", "ecs:StopServiceDeployment"),
            arns.services(ecs, "service-deployment"),
            "follow the deployment, turn it back",
        )
        yield Permission(
            ("ecs:DescribeServiceRevisions",), arns.services(ecs, "service-revision"), "see what it aims at"
        )
    by_codedeploy = tuple(each.unit for each in step.changes if each.codedeploy is not None)
    if by_codedeploy:
        yield from _codedeploy(by_codedeploy, arns)
    pausing = tuple(each.unit for each in step.changes if each.pauses and each.codedeploy is None)
    if pausing:
        yield Permission(
            ("ecs:ContinueServiceDeployment",),
            arns.services(pausing, "service-deployment"),
            "let it go on, or not, after the smoke checks",
        )
    commanded = dict.fromkeys(each.unit for each in step.checks if each.smoke.command is not None)
    for unit in commanded:
        yield from _task(unit, facts, arns)
    yield Permission(("ecs:ListTasks",), ("*",), "see its tasks", (("ArnEquals", "ecs:cluster", arns.cluster),))
    yield Permission(("ecs:DescribeTasks",), (arns.tasks,), "see how its tasks are")
    if any(facts.services[unit].attachments for unit in units):
        yield Permission(("elasticloadbalancing:DescribeTargetHealth",), ("*",), "see what the load balancer says")
    yield Permission(("logs:GetLogEvents",), arns.streams(units), "show the last log lines of a task that failed")
    yield from _passing(facts.latest[unit] for unit in units)


def _codedeploy(units: tuple[str, ...], arns: Arns) -> Iterator[Permission]:
    """Yield what deployments need. CreateDeployment asks for three more actions than its own."""
    yield Permission(
        ("ecs:UpdateService",), arns.services(units), f"set the count of {', '.join(units)} the first time"
    )
    yield Permission(
        ("codedeploy:CreateDeployment", "codedeploy:GetDeployment"),
        arns.deployment_groups(units),
        f"move {', '.join(units)} by CodeDeploy",
    )
    yield Permission(
        ("codedeploy:RegisterApplicationRevision",), (arns.deployment_application,), "hand the AppSpec over"
    )
    yield Permission(("codedeploy:GetDeploymentConfig",), (arns.deployment_configurations,), "move the traffic so")
    yield Permission(
        ("codedeploy:ContinueDeployment", "codedeploy:GetDeploymentTarget", "codedeploy:StopDeployment"),
        ("*",),
        "follow the deployment, let it go on, turn it back",
    )


def _uploading(step: UploadSite, arns: Arns) -> Iterator[Permission]:
    stored = arns.site(step.bucket, "blobs/*", "builds/*")
    yield Permission(("s3:ListBucket",), arns.site(step.bucket), "see which of the site's files are there")
    yield Permission(("s3:PutObject",), stored, "upload the others")
    if step.origin is not None:
        yield Permission(("s3:ListBucket",), arns.site(step.origin), "see that the build is whole")
        yield Permission(("s3:GetObject",), arns.site(step.origin, "blobs/*", "builds/*"), "copy it")


def _publishing(step: Publish, arns: Arns) -> Iterator[Permission]:
    yield Permission(("s3:ListBucket",), arns.site(step.bucket), "see what is live")
    yield Permission(
        ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        arns.site(step.bucket, "*"),
        "copy what changed, remove what is over, and write down what is live",
    )
    yield Permission(
        ("cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"),
        (arns.distribution(step.distribution),),
        "have the edge forget what changed",
    )


def _passing(definitions: Iterable[TaskDefinition]) -> Iterator[Permission]:
    passed = sorted({role for definition in definitions for role in roles(definition.document)})
    if passed:
        yield Permission(
            ("iam:PassRole",),
            tuple(passed),
            "hand the tasks' roles to ECS",
            (("StringEquals", "iam:PassedToService", "ecs-tasks.amazonaws.com"),),
        )
