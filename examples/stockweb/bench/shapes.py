"""The same search as queries of other shapes find it, for comparison: the part that the database does, no page.

InvenTree filters by parameters with a JOIN for each and DISTINCT, Part-DB with a correlated count for each. Here all
run on the same tables, with the indexes of this application. Only its own query ranks and counts what it finds.
"""

from collections.abc import Iterator

from django.db import connection

from bench.timing import Measured
from parts.line import read_line
from parts.requirement import vocabulary
from stock.suiting import suiting

_PAGE = 25
_JOINS = """
SELECT DISTINCT part.id, part.name, part.mpn FROM parts_part AS part
JOIN parts_attributevalue AS a ON a.part_id = part.id AND a.definition_id = %(capacitance)s AND a.num_lo >= 1e-5
JOIN parts_attributevalue AS b ON b.part_id = part.id AND b.definition_id = %(voltage)s AND b.num_lo >= 25
JOIN parts_attributevalue AS c ON c.part_id = part.id AND c.definition_id = %(dielectric)s AND c.text_value = 'X7R'
JOIN stock_lot AS lot ON lot.part_id = part.id AND lot.qty > 0
WHERE part.type_id = ANY(%(types)s) ORDER BY part.mpn LIMIT 25
"""
_COUNTS = """
SELECT part.id, part.name, part.mpn FROM parts_part AS part
WHERE part.type_id = ANY(%(types)s)
    AND (SELECT count(*) FROM parts_attributevalue AS a
        WHERE a.part_id = part.id AND a.definition_id = %(capacitance)s AND a.num_lo >= 1e-5) > 0
    AND (SELECT count(*) FROM parts_attributevalue AS b
        WHERE b.part_id = part.id AND b.definition_id = %(voltage)s AND b.num_lo >= 25) > 0
    AND (SELECT count(*) FROM parts_attributevalue AS c
        WHERE c.part_id = part.id AND c.definition_id = %(dielectric)s AND c.text_value = 'X7R') > 0
    AND (SELECT count(*) FROM stock_lot AS lot WHERE lot.part_id = part.id AND lot.qty > 0) > 0
ORDER BY part.mpn LIMIT 25
"""


def shapes(line: str) -> Iterator[Measured]:
    """Yield queries."""
    requirement = read_line(line, None, vocabulary(), lambda _text: False)
    values = {each.definition.key: each.definition.pk for each in requirement.clauses}
    values["types"] = list(requirement.types)

    def run(statement: str) -> object:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    yield Measured("the same, our query: ranked and counted", lambda: suiting(requirement, 0, _PAGE))
    yield Measured("the same, InvenTree's shape: neither ranked nor counted", lambda: run(_JOINS))
    yield Measured("the same, Part-DB's shape: neither ranked nor counted", lambda: run(_COUNTS))
