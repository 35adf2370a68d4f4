"""What whoever releases an environment, or looks at it, must be allowed: computed from the steps. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.aws.permission import Permission
from seatrial.release.facts import units
from seatrial.release.migrations import unit_that_migrates
from seatrial.release.permissions import Arns, looking, permissions, starting
from seatrial.release.plan import Wanted, plan_release
from seatrial.release.site.planning import WantedSite
from seatrial.release.steps import CheckMigrations
from seatrial.stack import names

if TYPE_CHECKING:
    from seatrial.config.models import Settings
    from seatrial.release.facts import Facts

#: A version that is nowhere yet, so that the plan has every step.
_ANY = Wanted(version="any", digest=None)
_ANY_SITE = WantedSite(version="any")


def release_role(settings: Settings, facts: Facts) -> tuple[Permission, ...]:
    """Return what a release needs that builds, pushes, goes wrong and is taken back.

    A rollback's steps are among those of a release, and so are a promotion's.
    """
    migrations = CheckMigrations(unit_that_migrates(settings), known=False, found="")
    plan = plan_release(
        settings,
        facts,
        _ANY,
        supersede=True,
        migrations=migrations if settings.checks_migrations else None,
        site=_ANY_SITE if settings.site else None,
    )
    jobs = starting(settings.jobs, Arns(settings, facts)) if settings.jobs else ()  # one may be new at any time
    return tuple(dict.fromkeys((*permissions(plan, settings, facts), *jobs)))


def exec_role(settings: Settings, facts: Facts) -> tuple[Permission, ...]:
    """Return what ``exec`` needs: finding the tasks of the services that allow it, and ECS Exec on this cluster."""
    arns = Arns(settings, facts)
    allowed = [unit for unit in facts.services if unit in settings.services and settings.may_exec(unit)]
    stack = arns.of("cloudformation", f"stack/{names.app_stack(settings)}/*")
    return (
        Permission(("cloudformation:DescribeStacks",), (stack,), "find the cluster"),
        Permission(("ecs:DescribeServices",), arns.services(allowed or facts.services), "find the service"),
        Permission(("ecs:ListTasks",), ("*",), "find its tasks", (("ArnEquals", "ecs:cluster", arns.cluster),)),
        Permission(("ecs:DescribeTasks",), (arns.tasks,), "see which of them run"),
        Permission(("ecs:ExecuteCommand",), (arns.cluster, arns.tasks), "run the command"),
    )


def reading_role(settings: Settings, facts: Facts) -> tuple[Permission, ...]:
    """Return what ``plan``, ``status``, ``logs`` and ``history`` need. Nothing in it changes anything.

    So ``plan`` may not start the task that asks the database about migrations, and judges without it.
    """
    arns = Arns(settings, facts)
    found = list(looking(settings, facts, arns, source=True))
    found.append(Permission(("ecs:ListTasks",), ("*",), "see the tasks", (("ArnEquals", "ecs:cluster", arns.cluster),)))
    found.append(Permission(("ecs:DescribeTasks",), (arns.tasks,), "see how the tasks are"))
    if any(service.attachments for service in facts.services.values()):
        found.append(
            Permission(
                tuple(
                    f"elasticloadbalancing:Describe{what}"
                    for what in ("Listeners", "Rules", "TargetGroups", "TargetHealth")
                ),
                ("*",),
                "see who gets which traffic",
            )
        )
    found.append(Permission(("logs:FilterLogEvents",), arns.groups(units(settings)), "read the logs"))
    prefix = f"{names.log_prefix(settings)}*"
    found.append(
        Permission(("s3:ListBucket",), (arns.bucket,), "find the history", (("StringLike", "s3:prefix", prefix),))
    )
    found.append(Permission(("s3:GetObject",), (arns.logs,), "read the history"))
    if (site := facts.stack.site) is not None:
        found.append(Permission(("s3:ListBucket",), arns.site(site.bucket), "see what the site serves"))
        read = arns.site(site.bucket, "*")
        found.append(Permission(("s3:GetObject",), read, "see which build that is; promote it"))
    return tuple(found)
