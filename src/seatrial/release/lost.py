"""What is said where AWS does not answer any more: what ECS goes on doing by itself, and how to go on. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.aws.ecs import revision_name
from seatrial.aws.errors import NoCredentials
from seatrial.config.smoke import HELD
from seatrial.release.rollout.ecs import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.errors import SeatrialError
    from seatrial.release.rollout.ecs import Rollout
    from seatrial.release.site.publication import Publication


def left_behind(rollouts: Sequence[Rollout], site: Publication | None = None) -> str:
    """Return what becomes of what was told to change, as far as that can be known."""
    if site is not None and not site.done:
        partly = f"of the site a part of {site.target.version} is live; the next release or rollback makes it whole"
        return f"{partly}; {left_behind(rollouts)}"
    asked = [each for each in rollouts if each.asked and each.verdict is not Verdict.ROLLED_BACK]
    if not asked:
        return "no service was told to change"
    said = []
    who = "CodeDeploy" if any(each.change.codedeploy for each in asked) else "ECS"
    going = [each for each in asked if each.verdict is None]
    held = [each for each in going if each.held or each.approaching]
    on = [each for each in going if each not in held]
    done = [each for each in asked if each.verdict is Verdict.DONE]
    if done:
        said.append(f"{_units(done)} had changed")
    if on:
        said.append(f"{who} goes on by itself with {_units(on)}, and rolls back what does not become healthy")
    if held:
        said.append(
            f"{who} holds {_units(held)} before users see the new version, and rolls back after {HELD // 60} minutes"
        )
    return "; ".join([*said, "nothing after it was started"])


def how_to_go_on(error: SeatrialError, environment: str) -> str:
    """Return what to do."""
    first = "log in again" if isinstance(error, NoCredentials) else "when AWS can be reached again"
    return (
        f"{first}, see with `seatrial status {environment}` how it ended, then repeat the release with --take-over, "
        "which also gives the lock back"
    )


def _units(rollouts: Sequence[Rollout]) -> str:
    return " and ".join(f"{each.change.unit} ({revision_name(each.target)})" for each in rollouts)
