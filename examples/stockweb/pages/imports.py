"""Importing a file by hand: hand it in, say what its columns are, look at the dry run, have it imported."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exchange import desk
from exchange.columns import CONSTANT
from exchange.models import Import, ImportLine
from exchange.table import TableError
from exchange.world import type_path
from parts.models import type_tree
from stock.models import Box

LATEST = 20
LINES_SHOWN = 200

_may_import = permission_required("exchange.add_import", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@_may_import
def imports(request: HttpRequest) -> HttpResponse:
    """Show one's own imports, and take a file."""
    if request.method == "POST":
        return _handed_in(request)
    mine = Import.objects.filter(user_id=request.user.pk).defer("content")[:LATEST]
    return render(request, "pages/import_list.html", {"section": "parts", "imports": mine})


@require_safe
@login_required
@_may_import
def one(request: HttpRequest, pk: Any) -> HttpResponse:
    """Show how far an import is: its columns, its progress, what each line does, errors first."""
    it = _own(request, pk)
    verdicts = desk.verdicts(it)
    shown = ImportLine.Verdict.ERROR if verdicts["error"] else None
    lines = it.lines.filter(verdict=shown) if shown else it.lines.exclude(verdict=ImportLine.Verdict.SAME)
    types = type_tree()
    samples = [[row[each] for row in it.sample if each < len(row)] for each in range(len(it.header))]
    context = {
        "section": "parts",
        "it": it,
        "verdicts": verdicts,
        "ready": it.state == Import.State.CHECKED and not verdicts["error"],
        "changes": verdicts["create"] + verdicts["update"],
        "lines": lines[:LINES_SHOWN],
        "most": LINES_SHOWN,
        "columns": list(zip(it.header, it.columns, samples, strict=True)),
        "there": Import.objects.filter(pk=it.pk, content__isnull=False).exists(),
        "targets": desk.targets(),
        "types": sorted(type_path(types, each) for each in types.rows),
        "boxes": Box.objects.values_list("code", flat=True),
    }
    return render(request, "pages/import_detail.html", context)


@require_POST
@login_required
@_may_import
def check(request: HttpRequest, pk: Any) -> HttpResponse:
    """Begin a dry run."""
    it = _own(request, pk)
    try:
        constants = {each: request.POST.get(each, "") for each in CONSTANT}
        desk.check(it, request.POST.getlist("column"), constants)
    except desk.Refused as refused:
        messages.error(request, _sentence(refused))
    return HttpResponseRedirect(reverse("import", args=(it.pk,)))


@require_POST
@login_required
@_may_import
def commit(request: HttpRequest, pk: Any) -> HttpResponse:
    """Import what was checked."""
    it = _own(request, pk)
    try:
        desk.commit(it)
    except desk.Refused as refused:
        messages.error(request, _sentence(refused))
    return HttpResponseRedirect(reverse("import", args=(it.pk,)))


def _handed_in(request: HttpRequest) -> HttpResponse:
    file = request.FILES.get("file")
    try:
        if file is None:
            raise desk.Wrong("choose a file")
        it = desk.hand_in(request.user.pk, file.name or "", file.read(desk.LARGEST + 1))
    except (desk.Refused, TableError) as refused:
        messages.error(request, _sentence(refused))
        return HttpResponseRedirect(reverse("imports"))
    return HttpResponseRedirect(reverse("import", args=(it.pk,)))


def _sentence(error: Exception) -> str:
    text = f"{error}"
    return f"{text[:1].upper()}{text[1:]}."


def _own(request: HttpRequest, pk: Any) -> Import:
    return get_object_or_404(Import.objects.defer("content"), pk=pk, user_id=request.user.pk)
