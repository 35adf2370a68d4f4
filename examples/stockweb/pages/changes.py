"""What changes stock, sent by the forms on the pages. Each ends with a redirect to where it came from and a message."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from pages.forms import ChangeForm, MoveForm
from parts.models import Part
from stock import ledger
from stock.ledger import Entry
from stock.models import Movement

_may_change_stock = permission_required("stock.add_movement", raise_exception=True)


@require_POST
@login_required
@_may_change_stock
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Add to a box or take from it."""
    part = get_object_or_404(Part, pk=pk)

    def post(user: int, data: dict[str, Any]) -> tuple[Entry, str]:
        verb, act = ("Took", ledger.take) if data["action"] == "take" else ("Added", ledger.add)
        entry = act(part.pk, data["box"].pk, data["quantity"], user=user, key=data["key"])
        where = "from" if data["action"] == "take" else "to"
        return entry, f"{verb} {data['quantity']} × {part.name} {where} {data['box']}: {entry.balance} there now."

    return _changed(request, part, ChangeForm(request.POST), post)


@require_POST
@login_required
@_may_change_stock
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Carry parts from one box to another."""
    part = get_object_or_404(Part, pk=pk)

    def post(user: int, data: dict[str, Any]) -> tuple[Entry, str]:
        source, target = data["source"], data["target"]
        out, _ = ledger.move(part.pk, source.pk, target.pk, data["quantity"], user=user, key=data["key"])
        return out, f"Moved {data['quantity']} × {part.name} from {source} to {target}."

    return _changed(request, part, MoveForm(request.POST), post)


@require_POST
@login_required
@_may_change_stock
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Reverse a movement."""
    movement = get_object_or_404(Movement.objects.select_related("lot__part"), pk=pk)
    part = movement.lot.part
    try:
        ledger.undo(movement.pk, user=request.user.pk)
    except ledger.Short as short:
        messages.error(request, f"Cannot undo: only {short.balance} × {part.name} left of those {short.wanted}.")
    except ledger.NotUndoable as error:
        messages.error(request, f"{error}".capitalize() + ".")
    else:
        messages.success(request, f"Undone: {abs(movement.delta)} × {part.name}.")
    return _back(request, part)


def _changed(
    request: HttpRequest, part: Part, form: Form, post: Callable[[int, dict[str, Any]], tuple[Entry, str]]
) -> HttpResponse:
    """Check the form, post it to the ledger, and say what came of it."""
    if not form.is_valid():
        wrong = "; ".join(f"{name}: {' '.join(errors)}" for name, errors in form.errors.items())
        messages.error(request, f"{part.name} is unchanged. {wrong}")
        return _back(request, part)
    try:
        entry, text = post(request.user.pk, form.cleaned_data)
    except ledger.Short as short:
        messages.error(request, f"Only {short.balance} × {part.name} left there, not {short.wanted}.")
    except (ledger.KeyReused, ledger.NoMove) as error:
        messages.error(request, f"{part.name} is unchanged: {error}.")
    else:
        if entry.replayed:
            messages.info(request, f"That was done already, and not again. {text}")
        else:
            # The template offers to undo the movement whose id a message carries as its tag.
            messages.success(request, text, extra_tags=str(entry.movement))
    return _back(request, part)


def _back(request: HttpRequest, part: Part) -> HttpResponse:
    """Return to the page and the row that the form was on."""
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = part.get_absolute_url()
    return HttpResponseRedirect(f"{target}#part-{part.pk}")
