"""Writing the catalogue into the database. What is there already stays as it is, so doing it twice changes nothing."""

import uuid
from collections.abc import Sequence

from django.db import transaction

from parts.models import AttributeDefinition, AttributeValue, Part, PartType
from parts.reading import parse
from stock import ledger
from stock.models import Box, Movement
from stock.seeds.catalogue import BOXES, DESIGNATORS, TYPES, PartSeed, parts

#: Keys of seeded movements derive from this and the part's number, so that seeding again adds no stock.
_NAMESPACE = uuid.UUID("a1f3a0cb-2b5f-4f4b-9d5b-6a1c8e0f7d21")


def plant() -> tuple[int, int]:
    """Write what is missing; return how many parts and how many movements were new."""
    seeds = list(parts())
    with transaction.atomic():
        types = _types()
        boxes = _boxes()
        known = set(Part.objects.values_list("mpn", "manufacturer"))
        missing = [seed for seed in seeds if (seed.mpn, seed.manufacturer) not in known]
        _parts(missing, types)
        ids = {(mpn, maker): pk for pk, mpn, maker in Part.objects.values_list("pk", "mpn", "manufacturer")}
        stock = {_key(seed, box): (seed, box, quantity) for seed in seeds for box, quantity in seed.stock.items()}
        done = set(Movement.objects.filter(key__in=stock).values_list("key", flat=True))
        for key, (seed, box, quantity) in stock.items():
            if key not in done:
                ledger.add(ids[seed.mpn, seed.manufacturer], boxes[box], quantity, key=key)
    return len(missing), len(stock) - len(done)


def _types() -> dict[tuple[str, ...], PartType]:
    types: dict[tuple[str, ...], PartType] = {}
    for path, own in TYPES.items():
        parent = types.get(path[:-1])
        means = {"designators": DESIGNATORS.get(path, "")}
        types[path], _ = PartType.objects.get_or_create(parent=parent, name=path[-1], defaults=means)
        # Those of a type come after those of the types above it.
        for position, seed in enumerate(own, start=10 * len(path)):
            defaults = {**vars(seed), "choices": "\n".join(seed.choices), "position": position}
            AttributeDefinition.objects.get_or_create(part_type=types[path], key=defaults.pop("key"), defaults=defaults)
    return types


def _boxes() -> dict[str, int]:
    ids: dict[str, int] = {}
    for code, name, kind, parent in BOXES:
        defaults = {"name": name, "kind": kind, "parent_id": ids[parent] if parent else None}
        ids[code] = Box.objects.get_or_create(code=code, defaults=defaults)[0].pk
    return ids


def _parts(seeds: Sequence[PartSeed], types: dict[tuple[str, ...], PartType]) -> None:
    definitions = {(each.part_type_id, each.key): each for each in AttributeDefinition.objects.all()}
    rows = [
        Part(
            type=types[seed.type],
            name=seed.name,
            mpn=seed.mpn,
            manufacturer=seed.manufacturer,
            description=seed.description,
            package=seed.package,
            tags=seed.tags,
            min_qty=seed.min_qty,
        )
        for seed in seeds
    ]
    Part.objects.bulk_create(rows)
    values = []
    for seed, part in zip(seeds, rows, strict=True):
        # An attribute is defined by the part's type or by one above it.
        lineage = [types[seed.type[:depth]].pk for depth in range(len(seed.type), 0, -1)]
        for key, raw in seed.values.items():
            definition = next(definitions[each, key] for each in lineage if (each, key) in definitions)
            values.append(AttributeValue(part=part, definition=definition, raw=raw))
    for value in values:
        parse(value)
    AttributeValue.objects.bulk_create(values)


def _key(seed: PartSeed, box: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{seed.manufacturer}/{seed.mpn}/{box}")
