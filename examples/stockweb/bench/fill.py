"""Many parts, made by the database itself.

Twenty types; a fifth of all parts are capacitors. Six values for a part, of which one in twenty is missing; one lot for
a part, a third of them empty. The same parts in every run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.models import Max

from parts.models import AttributeDefinition, Part, PartType

TYPES = 20
ATTRIBUTES = 6
_KIND, _MATCH = AttributeDefinition.Kind, AttributeDefinition.Match

_PARTS = """
INSERT INTO parts_part (type_id, name, mpn, manufacturer, description, package, tags, min_qty, created, updated)
SELECT types[CASE WHEN n %% 5 = 0 THEN 1 + n / 5 %% 2 ELSE 3 + n %% (array_length(types, 1) - 2) END],
    'Part ' || n, 'BENCH-' || n, 'Maker ' || n %% 40, 'made for measuring',
    (ARRAY['0402', '0603', '0805', '1206', 'axial'])[1 + n / 10 %% 5], 'bench', 0, now(), now()
FROM generate_series(%(first)s, %(last)s) AS n, (SELECT %(types)s::bigint[] AS types) AS given
"""

# Noise that is the same in every run; of these, one in twenty is left out.
_VALUES = """
INSERT INTO parts_attributevalue (part_id, definition_id, type_id, raw, parsed, num_lo, num_hi, text_value)
SELECT part, definition, type, raw, raw, CASE word WHEN '' THEN number END, CASE word WHEN '' THEN number END, word
FROM (
    SELECT part.id AS part, definition.id AS definition, part.type_id AS type,
        CASE definition.key
            WHEN 'capacitance'
                THEN power(10, -11 + noise %% 8) * (ARRAY[1, 1.5, 2.2, 3.3, 4.7, 6.8])[1 + noise / 8 %% 6]
            WHEN 'voltage' THEN (ARRAY[6.3, 10, 16, 25, 50, 100, 200, 400])[1 + noise %% 8]
            ELSE noise %% 1000
        END AS number,
        CASE definition.key
            WHEN 'dielectric' THEN (ARRAY['X7R', 'X7R', 'C0G', 'X5R'])[1 + noise %% 4]
            ELSE ''
        END AS word,
        'as made' AS raw, noise
    FROM parts_part AS part
    JOIN parts_attributedefinition AS definition ON definition.part_type_id IN (
        part.type_id, (SELECT parent_id FROM parts_parttype WHERE id = part.type_id)
    )
    CROSS JOIN LATERAL (SELECT abs(hashint8(part.id * 1009 + definition.id)::bigint) AS noise) AS made
    WHERE part.tags = 'bench' AND part.id > %(before)s
) AS every
WHERE noise / 64 %% 20 <> 0
"""

_LOTS = """
INSERT INTO stock_lot (part_id, box_id, qty)
SELECT id, boxes[1 + id %% array_length(boxes, 1)], greatest(0, hashint8(id)::bigint %% 300 + 100)
FROM parts_part, (SELECT array_agg(id ORDER BY id) AS boxes FROM stock_box) AS all_boxes
WHERE tags = 'bench' AND id > %(before)s
"""


# Indexes that no constraint needs are quicker made anew than kept up.
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename IN ('parts_part', 'parts_attributevalue', 'stock_lot')
    AND indexname NOT IN (SELECT conname FROM pg_constraint) AND indexdef NOT LIKE 'CREATE UNIQUE%'
"""


def fill(parts: int) -> None:
    """Make parts with values and lots, in the boxes that are there, until there are so many."""
    there = Part.objects.filter(tags="bench")
    made, before = there.count(), there.aggregate(last=Max("pk"))["last"] or 0
    given = {"first": made + 1, "last": parts, "types": _types(), "before": before}
    with connection.cursor() as cursor, _without_indexes(cursor):
        # Triggers would look up the type of each part, which is known here.
        cursor.execute("SET session_replication_role = replica")
        for statement in (_PARTS, _VALUES, _LOTS):
            cursor.execute(statement, given)
        cursor.execute("SET session_replication_role = origin")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


@contextmanager
def _without_indexes(cursor: Any) -> Iterator[None]:
    cursor.execute(_INDEXES)
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        cursor.execute(definition)


def bom(lines: int) -> bytes:
    """Return a bill of material of capacitors, each of another value, voltage or package."""
    rows = [
        f"BC{number},{1.5 if number % 2 else 4.7}{'pnu'[number // 2 % 3]} {(16, 25, 50)[number // 6 % 3]}V X7R,"
        f"C_{('0402', '0603', '0805', '1206')[number // 18 % 4]}"
        for number in range(lines)
    ]
    return "\n".join(["Reference,Value,Footprint", *rows, ""]).encode()


def _types() -> list[int]:
    """Return the ids of the types that have parts, made if need be: two of capacitors, then the others."""
    if there := dict(PartType.objects.filter(name__startswith="Bench ").values_list("name", "pk")):
        there.pop("Bench capacitor")
        return list(there.values())
    capacitor = PartType.objects.create(name="Bench capacitor", designators="BC")
    ceramic = PartType.objects.create(name="Bench ceramic", parent=capacitor)
    other = PartType.objects.create(name="Bench electrolytic", parent=capacitor)
    _quantities(capacitor, ("capacitance", "F", _MATCH.EXACT), ("voltage", "V", _MATCH.HIGHER))
    AttributeDefinition.objects.create(
        part_type=capacitor,
        key="dielectric",
        label="Dielectric",
        kind=_KIND.CHOICE,
        match=_MATCH.ONE_OF,
        choices="C0G\nX7R\nX5R",
        position=2,
    )
    _quantities(capacitor, *((f"q{number}", "", _MATCH.EXACT) for number in range(3, ATTRIBUTES)))
    rest = [PartType.objects.create(name=f"Bench type {number:02}") for number in range(3, TYPES + 1)]
    for each in rest:
        _quantities(each, *((f"q{number}", "", _MATCH.HIGHER) for number in range(ATTRIBUTES)))
    return [ceramic.pk, other.pk, *(each.pk for each in rest)]


def _quantities(part_type: PartType, *each: tuple[str, str, str]) -> None:
    AttributeDefinition.objects.bulk_create(
        AttributeDefinition(
            part_type=part_type, key=key, label=key, unit=unit, kind=_KIND.QUANTITY, match=match, position=position
        )
        for position, (key, unit, match) in enumerate(each)
    )
