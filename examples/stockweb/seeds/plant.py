"""Writing the seeds into the database. What is there already stays as it is, so doing it twice changes nothing."""

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from parts.models import AttributeDefinition, AttributeValue, Part, PartType
from parts.reading import parse
from projects.importing import read_lines, replace_lines
from projects.models import Project
from seeds.assortments import SHOPS, WORTHS, WORTHS_SINCE, ShopSeed, offers
from seeds.boards import BOARDS
from seeds.catalogue import BOXES, DESIGNATORS, TYPES, PartSeed, parts
from shops.models import Offer, PriceBreak, Rate, Shop
from stock import ledger
from stock.models import Box, Movement

#: Of a rate, after the point.
_PLACES = 9
#: Keys of seeded movements derive from this and the part's number, so that seeding again adds no stock.
_NAMESPACE = uuid.UUID("a1f3a0cb-2b5f-4f4b-9d5b-6a1c8e0f7d21")


def plant_parts() -> tuple[int, int]:
    """Write what is missing of types, boxes, parts and stock; return how many parts and how many movements were new."""
    seeds = list(parts())
    with transaction.atomic():
        types = _types()
        boxes = _boxes()
        known = set(Part.objects.values_list("mpn", "manufacturer"))
        missing = [seed for seed in seeds if (seed.mpn, seed.manufacturer) not in known]
        _parts(missing, types)
        ids = _ids()
        stock = {_key(seed, box): (seed, box, quantity) for seed in seeds for box, quantity in seed.stock.items()}
        done = set(Movement.objects.filter(key__in=stock).values_list("key", flat=True))
        for key, (seed, box, quantity) in stock.items():
            if key not in done:
                ledger.add(ids[seed.mpn, seed.manufacturer], boxes[box], quantity, key=key)
    return len(missing), len(stock) - len(done)


def plant_offers() -> int:
    """Write what is missing of shops, rates and offers of parts that are there; return how many offers were new."""
    with transaction.atomic():
        shops = {seed.name: _shop(seed) for seed in SHOPS}
        _rates()
        ids = _ids()
        known = set(Offer.objects.values_list("shop", "sku"))
        rows, breaks = [], []
        for seed in offers():
            shop, part = shops[seed.shop.name], ids.get((seed.part.mpn, seed.part.manufacturer))
            if part is None or (shop.pk, seed.sku) in known:
                continue
            row = Offer(part_id=part, shop=shop, sku=seed.sku, moq=seed.packs, multiple=seed.packs)
            rows.append(row)
            breaks += [PriceBreak(offer=row, min_qty=many, unit_price=price) for many, price in seed.breaks]
        Offer.objects.bulk_create(rows)
        PriceBreak.objects.bulk_create(breaks)
    return len(rows)


def plant_projects() -> int:
    """Write the projects that are missing, with their bills of material; return how many were new."""
    with transaction.atomic():
        known = set(Project.objects.values_list("name", flat=True))
        missing = [seed for seed in BOARDS if seed.name not in known]
        for seed in missing:
            project = Project.objects.create(name=seed.name, boards=seed.boards, notes=seed.notes)
            replace_lines(project, read_lines(seed.bom.encode()))
    return len(missing)


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


def _ids() -> dict[tuple[str, str], int]:
    return {(mpn, maker): pk for pk, mpn, maker in Part.objects.values_list("pk", "mpn", "manufacturer")}


def _shop(seed: ShopSeed) -> Shop:
    terms = {"url": seed.url, "currency": seed.currency, "shipping": seed.shipping}
    return Shop.objects.get_or_create(name=seed.name, defaults=terms)[0]


def _rates() -> None:
    """Write the rates to the currency at home, if it is one of those that the seeds know."""
    home = WORTHS.get(settings.HOME_CURRENCY)
    for currency, worth in WORTHS.items():
        if home is not None and currency != settings.HOME_CURRENCY:
            terms = {"worth": round(worth / home, _PLACES)}
            Rate.objects.get_or_create(currency=currency, day=WORTHS_SINCE, defaults=terms)


def _key(seed: PartSeed, box: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{seed.manufacturer}/{seed.mpn}/{box}")
