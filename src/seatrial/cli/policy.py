"""``seatrial policy``: the least IAM policy of those who release, apply or look."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seatrial.cli.output import ConfigOption, EnvironmentArgument, Output

if TYPE_CHECKING:
    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings

app = typer.Typer(add_completion=False)


class Role(StrEnum):
    """Whose policy."""

    RELEASE = "release"
    INFRA = "infra"
    READ_ONLY = "read-only"
    EXEC = "exec"


@app.command()
def policy(
    environment: EnvironmentArgument,
    role: Annotated[Role, typer.Option(help="release, rollback and promote; infra apply; only looking; or exec.")] = (
        Role.RELEASE
    ),
    config: ConfigOption = "seatrial.toml",
) -> None:
    """Print the least IAM policy document with which the commands of a role work, computed from what they do.

    One that is longer than a managed policy may be comes as a list of documents, all of which the role needs.

    Example: seatrial policy production --role read-only > read-only.json
    """
    from seatrial.aws.permission import MANAGED_POLICY_SIZE, parts
    from seatrial.cli.releasing import opened

    settings, _, aws = opened(config, environment)
    documents = parts(_document(settings, aws, role))
    output = Output(as_json=True)
    if len(documents) == 1:
        output.result(documents[0])
        return
    output.say(f"note: {len(documents)} policies, for one may have {MANAGED_POLICY_SIZE} characters; attach them all")
    output.result(documents)


def _document(settings: Settings, aws: Aws, role: Role) -> dict[str, Any]:
    from seatrial.aws.permission import policy as document
    from seatrial.release import facts, roles

    match role:
        case Role.RELEASE:
            return document(roles.release_role(settings, facts.gather(settings, aws)))
        case Role.READ_ONLY:
            return document(roles.reading_role(settings, facts.gather(settings, aws)))
        case Role.EXEC:
            return document(roles.exec_role(settings, facts.gather(settings, aws)))
        case Role.INFRA:
            from seatrial.infra.permissions import infra_role
            from seatrial.stack.build import build
            from seatrial.stack.lowering import lower

            return document(infra_role(settings, lower(build(settings)), aws))
