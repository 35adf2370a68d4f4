"""Outputs and exports of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.emulator.cloudformation.errors import TemplateError
from seatrial.emulator.cloudformation.intrinsics import Scope, resolve, text

if TYPE_CHECKING:
    from seatrial.emulator.cloudformation.blueprint import Blueprint
    from seatrial.emulator.cloudformation.stacks import Stack, Stacks


def outputs(blueprint: Blueprint, scope: Scope) -> list[dict[str, Any]]:
    """Return the outputs as DescribeStacks shows them. Raises :class:`TemplateError`."""
    found = []
    for name, definition in blueprint.outputs.items():
        value = resolve(definition["Value"], scope)
        if isinstance(value, (list, dict)):
            raise TemplateError(
                f"Template format error: Output {name} is malformed. The Value field of every Outputs member must "
                "evaluate to a String."
            )
        output = {"OutputKey": name, "OutputValue": text(value)}
        if definition.get("Description"):
            output["Description"] = text(definition["Description"])
        export = definition.get("Export")
        if export:
            output["ExportName"] = text(resolve(export["Name"], scope))
        found.append(output)
    return found


def judge_exports(stacks: Stacks, stack: Stack, new: list[dict[str, Any]]) -> None:
    """Refuse an export that another stack has, and the loss or change of one in use. Raises :class:`TemplateError`."""
    wanted = {output["ExportName"]: output["OutputValue"] for output in new if output.get("ExportName")}
    for name in wanted:
        owner = stacks.exporter(name)
        if owner is not None and owner is not stack:
            raise TemplateError(f"Export with name {name} is already exported by stack {owner.name}.")
    for name, value in stack.exports.items():
        users = stacks.importers(name)
        if users and name not in wanted:
            raise TemplateError(f"Export {name} cannot be deleted as it is in use by {' and '.join(users)}")
        if users and wanted[name] != value:
            raise TemplateError(f"Export {name} cannot be updated as it is in use by {' and '.join(users)}")
