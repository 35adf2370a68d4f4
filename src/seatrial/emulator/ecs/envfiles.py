"""Environment files: what ``environmentFiles`` of a container add to its environment. Pure.

The rules are those of "Pass environment variables to an Amazon ECS container" (developer guide) and, where that is
silent, of the ECS agent, which reads the files (amazon-ecs-agent, ``taskresource/envFiles``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A container has at most ten (ContainerDefinition.environmentFiles).
MOST = 10
_ARN = re.compile(r"arn:aws[a-z-]*:s3:::([^/]+)/(.+\.env)")


def place(arn: str) -> tuple[str, str] | None:
    """Return bucket and key of a file's ARN; None for anything but an object of S3 whose name ends in ``.env``."""
    found = _ARN.fullmatch(arn)
    return None if found is None else (found[1], found[2])


def parse(text: str) -> dict[str, str]:
    """Return the variables of one file.

    A line is ``NAME=VALUE``, taken as it stands, blanks and quotation marks included. Lines that begin with ``#``,
    have no ``=``, or nothing on one side of it, are passed over. The last of equal names counts.
    """
    variables = {}
    for line in text.split("\n"):
        name, _, value = line.removesuffix("\r").partition("=")
        if name and value and not line.startswith("#"):
            variables[name] = value
    return variables


def merged(texts: Iterable[str]) -> dict[str, str]:
    """Return the variables of all files of a container, in their order: the first file that has a name decides."""
    variables: dict[str, str] = {}
    for text in texts:
        variables = parse(text) | variables
    return variables
