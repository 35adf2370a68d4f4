"""The pages that show something. Anyone may look; changing needs a login, see :mod:`pages.changes`."""

import uuid

from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from attachments import desk
from live.events import newest
from pages.attachments import files
from pages.rows import part_page
from pages.visitors import briefly_kept
from parts.attributes import attributes
from parts.models import Part, type_tree
from stock.holdings import holdings
from stock.low_stock import low_parts
from stock.models import Box, Lot, Movement, box_tree
from stockweb.tree import Tree

MOVEMENTS_SHOWN = 20
LATEST = 10


@require_safe
@briefly_kept
def home(request: HttpRequest) -> HttpResponse:
    """Show what runs low and what was done last."""
    # Read first, so that the script, which goes on from here, misses nothing; what it hears twice it shows once.
    position = newest()
    context = {"low": low_parts()[:50], "movements": _movements()[:LATEST], "position": position, "latest": LATEST}
    return render(request, "pages/home.html", context)


@require_safe
@briefly_kept
def part_list(request: HttpRequest) -> HttpResponse:
    """Show parts, all of them or those that match words (``q``) and a type (``type``)."""
    types = type_tree()
    text = request.GET.get("q", "").strip()[:200]
    type_id = _number(request.GET.get("type", ""))
    if type_id not in types.rows:
        type_id = None
    page = part_page(types, text, type_id, _number(request.GET.get("page", "")) or 1)
    context = {"page": page, "text": text, "type_id": type_id, "types": list(types.walk()), "section": "parts"}
    return render(request, "pages/part_list.html", context)


@require_safe
@briefly_kept
def part_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one part: what it is, where it is, and what happened to it."""
    part = get_object_or_404(Part.objects.select_related("type"), pk=pk)
    held = holdings([part.pk]).get(part.pk, [])
    total = sum(holding.qty for holding in held)
    context = {
        "section": "parts",
        "part": part,
        "type_path": type_tree().path(part.type_id),
        "attributes": attributes([part.pk]).get(part.pk, ()),
        "holdings": held,
        "filled": [holding for holding in held if holding.qty],
        "total": total,
        "low": total < part.min_qty,
        "movements": _movements().filter(lot__part=part)[:MOVEMENTS_SHOWN],
        "boxes": Box.objects.all() if request.user.has_perm("stock.add_movement") else (),
        "can_attach": desk.available(),
        "files": files(part.pk),
        "change_key": uuid.uuid4(),
        "move_key": uuid.uuid4(),
    }
    return render(request, "pages/part_detail.html", context)


@require_safe
@briefly_kept
def box_list(request: HttpRequest) -> HttpResponse:
    """Show all boxes as the tree they stand in, with how much is in each."""
    held = Lot.objects.filter(qty__gt=0).values("box_id").annotate(parts=Count("pk"), pieces=Sum("qty"))
    contents = {row["box_id"]: row for row in held}
    whole = box_tree()
    boxes = [(depth, box, contents.get(box.pk), box.pk in whole.children) for depth, box in whole.walk()]
    return render(request, "pages/box_list.html", {"section": "boxes", "boxes": boxes})


@require_safe
@briefly_kept
def box_detail(request: HttpRequest, code: str) -> HttpResponse:
    """Show what is in a box."""
    box = get_object_or_404(Box, code=code)
    boxes = box_tree()
    context = {
        "section": "boxes",
        "box": box,
        "path": boxes.path(box.pk)[:-1],
        "children": boxes.children.get(box.pk, ()),
        "lots": box.lots.filter(qty__gt=0).select_related("part").order_by("part__name", "pk"),
    }
    return render(request, "pages/box_detail.html", context)


@require_safe
@briefly_kept
def type_list(request: HttpRequest) -> HttpResponse:
    """Show the tree of part types, each with how many parts it and the types below it have."""
    types = type_tree()
    counts = dict(Part.objects.order_by().values_list("type_id").annotate(Count("pk")))
    rows = [(depth, each, _count_within(types, each.pk, counts)) for depth, each in types.walk()]
    return render(request, "pages/type_list.html", {"section": "types", "types": rows})


def _movements() -> QuerySet[Movement]:
    return Movement.objects.select_related("lot__part", "lot__box", "user", "reversed_by").order_by("-pk")


def _count_within(types: Tree, pk: int, counts: dict[int, int]) -> int:
    return sum(counts.get(each, 0) for each in types.within(pk))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
