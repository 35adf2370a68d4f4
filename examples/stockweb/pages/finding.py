"""Finding parts by what they must be able to do, and keeping such requirements."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from pages.fields import fields
from pages.rows import COUNT_LIMIT, PAGE_SIZE, PartPage, PartRow, part_rows
from pages.visitors import briefly_kept
from parts.asking import address, asked, query_string
from parts.models import SavedRequirement
from parts.requirement import Requirement, RequirementError, Vocabulary, vocabulary
from stock.suiting import Bucket, possible, suiting, unknown

_LAST_PAGE = (COUNT_LIMIT - 1) // PAGE_SIZE


@dataclass(frozen=True)
class Found:
    """A page of the parts that suit; the first of those that could, each with what is unknown; how many could."""

    page: PartPage
    possible: list[tuple[PartRow, str]]
    possible_page: PartPage
    address: str


@require_safe
@briefly_kept
def find(request: HttpRequest) -> HttpResponse:
    """Show what suits a requirement. One that is written in a line has its page by the address of what it means."""
    known, wrong, found = vocabulary(), {}, None
    try:
        requirement = asked(request.GET, known)
    except RequirementError as error:
        requirement, wrong = None, error.wrong
    if requirement is not None and request.GET.get("line", "").strip():
        return HttpResponseRedirect(f"{reverse('find')}?{address(requirement)}")
    if requirement is not None and (requirement.clauses or requirement.package or requirement.in_stock):
        found = _found(requirement, _page_number(request))
    return render(request, "pages/find.html", _context(request, known, wrong, requirement) | {"found": found})


@require_safe
def saved(_request: HttpRequest, pk: int) -> HttpResponse:
    """Go to what a saved requirement finds."""
    it = get_object_or_404(SavedRequirement, pk=pk)
    query = query_string(it.part_type_id, it.wanted, package=it.package, in_stock=it.in_stock)
    return HttpResponseRedirect(f"{reverse('find')}?{query}")


@require_POST
@login_required
def save(request: HttpRequest) -> HttpResponse:
    """Keep a requirement under a name; what had the name before is replaced."""
    name, query = " ".join(request.POST.get("name", "").split())[:80], QueryDict(request.POST.get("query", ""))
    try:
        requirement = asked(query, vocabulary())
    except RequirementError as error:
        messages.error(request, f"Not saved. {error}")
        return HttpResponseRedirect(reverse("find"))
    if requirement is None or not name or not name.isprintable():
        messages.error(request, "Not saved: it needs a name and a type of part.")
        return HttpResponseRedirect(f"{reverse('find')}?{query.urlencode(safe=':')}")
    values = {
        "part_type": requirement.type,
        "wanted": {clause.definition.key: clause.text for clause in requirement.clauses},
        "package": requirement.package,
        "in_stock": requirement.in_stock,
    }
    it, _ = SavedRequirement.objects.update_or_create(user_id=request.user.pk, name=name, defaults=values)
    messages.success(request, f"Saved as “{name}”. Share it by {request.build_absolute_uri(it.get_absolute_url())}")
    return HttpResponseRedirect(f"{reverse('find')}?{address(requirement)}")


@require_POST
@login_required
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a requirement of one's own."""
    it = get_object_or_404(SavedRequirement, pk=pk, user_id=request.user.pk)
    it.delete()
    messages.success(request, f"“{it.name}” is no longer saved.")
    return HttpResponseRedirect(reverse("find"))


def _found(requirement: Requirement, number: int) -> Found:
    """Look for parts; those that could suit stand on the first page only. Four queries, or three."""
    first = suiting(requirement, (number - 1) * PAGE_SIZE, PAGE_SIZE)
    if not first.parts and number > 1:
        number, first = 1, suiting(requirement, 0, PAGE_SIZE)
    second = possible(requirement, PAGE_SIZE) if number == 1 else Bucket()
    rows = part_rows([*first.parts, *second.parts])
    suits, could = rows[: len(first.parts)], rows[len(first.parts) :]
    labels = [", ".join(label for _, label in unknown(requirement, part)) for part in second.parts]
    return Found(
        page=PartPage(suits, number, min(first.count, COUNT_LIMIT)),
        possible=list(zip(could, labels, strict=True)),
        possible_page=PartPage(could, 1, min(second.count, COUNT_LIMIT)),
        address=address(requirement),
    )


def _context(
    request: HttpRequest, known: Vocabulary, wrong: dict[str, str], requirement: Requirement | None
) -> dict[str, Any]:
    text = request.GET.get("type", "")
    chosen = known.types.rows.get(int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else None
    return {
        "section": "find",
        "types": list(known.types.walk()),
        "type": chosen,
        "fields": fields(known.definitions(chosen.pk), request.GET, wrong) if chosen else (),
        "line": request.GET.get("line", ""),
        "line_error": wrong.get("line", ""),
        "errors": [f"{key}: {reason}" for key, reason in wrong.items() if key != "line"],
        "package": request.GET.get("package", ""),
        "in_stock": request.GET.get("stock", "") not in ("", "0"),
        "requirement": requirement,
        "saved": request.user.requirements.all() if request.user.is_authenticated else (),
    }


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return min(max(int(text), 1), _LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 10 else 1
