"""From a file to the lines of a project. Neither parts nor stock come of it: a drawing does not say what there is.

Reading the file again replaces the lines, and what was chosen for references of the same value is kept.
"""

from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction

from parts.requirement import vocabulary
from projects.kicad import BomRow, read_bom
from projects.models import BomLine, Project
from projects.wishes import wish


def read_lines(content: bytes) -> list[BomLine]:
    """Return the lines of a file, not yet of a project and not saved. Raises :class:`projects.kicad.BomError`."""
    rows, known = read_bom(content), vocabulary()
    lines = []
    for row in rows:
        wished = wish(row.refs, row.value, row.footprint, known)
        lines.append(
            BomLine(
                **_columns(row),
                part_type_id=wished.part_type,
                wanted=dict(wished.wanted or {}),
                package=wished.package,
                unclear=wished.unclear,
            )
        )
    return lines


def replace_lines(project: Project, lines: Sequence[BomLine]) -> None:
    """Make the lines those of a project, all or none."""
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        before = project.lines.filter(chosen__isnull=False)
        chosen = {(each.value, ref): each.chosen_id for each in before for ref in each.refs}
        project.lines.all().delete()
        for line in lines:
            line.project = project
            line.chosen_id = next((chosen[line.value, ref] for ref in line.refs if (line.value, ref) in chosen), None)
        BomLine.objects.bulk_create(lines)


def _columns(row: BomRow) -> dict[str, object]:
    columns = asdict(row)
    columns["position"] = columns.pop("line")
    columns["refs"] = list(row.refs)
    return columns
