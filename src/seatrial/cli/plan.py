"""``seatrial plan``: what a release would do, and which permissions it needs."""

from __future__ import annotations

from typing import Annotated

import typer

from seatrial.cli.deploy import OnlyOption  # noqa: TC001 - typer reads the annotations
from seatrial.cli.output import ConfigOption, EnvironmentArgument, JsonOption, Output

app = typer.Typer(add_completion=False)


@app.command()
def plan(
    environment: EnvironmentArgument,
    revision: Annotated[str | None, typer.Option(help="Git revision to release instead of the working tree.")] = None,
    image: Annotated[str | None, typer.Option(help="Digest (sha256:...) of an image in ECR to release.")] = None,
    only: OnlyOption = None,
    policy: Annotated[bool, typer.Option("--policy", help="Print only the IAM policy document.")] = False,
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Print the steps of a release, its pending migrations and the IAM actions it needs. Changes nothing.

    Ends with exit code 2 where `deploy` would refuse: a pending migration breaks the version that is serving.

    Example: seatrial plan production --policy > release-policy.json
    """
    from seatrial import release
    from seatrial.aws.permission import policy as document
    from seatrial.cli.releasing import opened, plan_lines

    settings, root, aws = opened(config, environment)
    proposal = release.plan(settings, root, aws, revision=revision, image=image, only=only.part if only else None)
    if policy:
        Output(as_json=True).result(document(proposal.permissions))
        return
    lines = [*plan_lines(proposal), "", "permissions:"]
    for each in proposal.permissions:
        lines.append(f"  {', '.join(each.actions)}  ({each.purpose})")
        lines += [f"      {resource}" for resource in each.resources]
    data = {
        **proposal.plan.to_json(),
        "migrations": proposal.verdict.to_json() if proposal.verdict else None,
        "permissions": [each.to_json() for each in proposal.permissions],
        "policy": document(proposal.permissions),
    }
    Output(as_json=as_json).result(data, text="\n".join(lines))
    if proposal.verdict and proposal.verdict.refused:
        raise typer.Exit(2)
