"""Permissions as values, and the IAM policy that grants them. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Characters of a managed policy, white space not counted (IAM user guide, "IAM and AWS STS quotas").
MANAGED_POLICY_SIZE = 6144


@dataclass(frozen=True)
class Permission:
    """Actions on resources (ARNs), and what for. ``condition`` has (operator, key, value) as in an IAM policy."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    purpose: str
    condition: tuple[tuple[str, str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the permission as a JSON object."""
        return {"actions": list(self.actions), "resources": list(self.resources), "for": self.purpose}


def policy(needed: Iterable[Permission]) -> dict[str, Any]:
    """Return the permissions as an IAM policy document: one statement for each set of resources."""
    merged: dict[tuple[tuple[str, ...], tuple[tuple[str, str, str], ...]], set[str]] = {}
    for each in needed:
        merged.setdefault((each.resources, each.condition), set()).update(each.actions)
    statements = []
    for (resources, condition), actions in merged.items():
        statement: dict[str, Any] = {"Effect": "Allow", "Action": sorted(actions), "Resource": sorted(resources)}
        if condition:
            statement["Condition"] = _condition(condition)
        statements.append(statement)
    return {"Version": "2012-10-17", "Statement": statements}


def parts(document: Mapping[str, Any], size: int = MANAGED_POLICY_SIZE) -> list[dict[str, Any]]:
    """Return the policy as documents of at most ``size`` characters each, which together allow the same.

    Raises ``ValueError`` where a single action with its resources is longer.
    """
    found: list[dict[str, Any]] = []
    for statement in document["Statement"]:
        for action in statement["Action"]:
            if not (found and _grown(found[-1], statement, action, size)):
                found.append({"Version": document["Version"], "Statement": [{**statement, "Action": [action]}]})
                if length(found[-1]) > size:
                    raise ValueError(f"{action} and its resources do not fit in {size} characters")
    return found


def length(document: Mapping[str, Any]) -> int:
    """Return how many characters IAM counts: all but white space."""
    return len(json.dumps(document, separators=(",", ":")))


def _grown(part: dict[str, Any], statement: Mapping[str, Any], action: str, size: int) -> bool:
    """Whether the part could take one more action; it has it then."""
    last = part["Statement"][-1]
    same = {**last, "Action": None} == {**statement, "Action": None}
    more = {**statement, "Action": [*last["Action"], action] if same else [action]}
    statements = [*part["Statement"][:-1], more] if same else [*part["Statement"], more]
    fits = length({**part, "Statement": statements}) <= size
    if fits:
        part["Statement"] = statements
    return fits


def _condition(condition: Iterable[tuple[str, str, str]]) -> Mapping[str, Mapping[str, str]]:
    return {operator: {key: value} for operator, key, value in condition}
