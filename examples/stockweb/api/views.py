"""The JSON interface.

``GET  /api/parts/1``        what it is and where it is
``POST /api/parts/1/take``   ``{"box": "B2", "quantity": 3}`` with the header ``Idempotency-Key: <uuid>``
``POST /api/parts/1/add``    the same

A change needs a login (session and CSRF token) and its key; sending it again with the same key changes nothing and is
answered as the first time. Errors are ``{"error": code, "detail": text}``, and 409 has the present ``balance``.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from parts.attributes import attributes
from parts.models import Part
from stock import ledger
from stock.holdings import holdings
from stock.models import Box

KEY_HEADER = "Idempotency-Key"


class Refused(Exception):
    """The request cannot be done; becomes an error response."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"error": code, "detail": detail, **more}


@dataclass(frozen=True)
class _Change:
    box: Box
    quantity: int
    key: uuid.UUID


@require_safe
def part(_request: HttpRequest, pk: int) -> HttpResponse:
    """Return one part with its attributes and stock. Three queries."""
    columns = ("name", "mpn", "manufacturer", "description", "package", "tags", "min_qty")
    found = Part.objects.filter(pk=pk).annotate(type_name=F("type__name")).values(*columns, "type_name").first()
    if found is None:
        return _not_found(pk)
    held = holdings([pk]).get(pk, ())
    body = {
        "id": pk,
        "type": found.pop("type_name"),
        **found,
        "tags": found["tags"].split(),
        "attributes": [asdict(attribute) for attribute in attributes([pk]).get(pk, ())],
        "stock": [{"box": holding.box, "quantity": holding.qty} for holding in held],
        "total": sum(holding.qty for holding in held),
    }
    return JsonResponse(body)


@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Put parts into a box."""
    return _changed(request, pk, ledger.add)


@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Take parts out of a box."""
    return _changed(request, pk, ledger.take)


def _changed(request: HttpRequest, pk: int, act: Callable[..., ledger.Entry]) -> HttpResponse:
    if not request.user.is_authenticated:
        return _error(401, "login-required", "log in first")
    if not Part.objects.filter(pk=pk).exists():
        return _not_found(pk)
    try:
        wanted = _read(request)
        entry = act(pk, wanted.box.pk, wanted.quantity, user=request.user.pk, key=wanted.key)
    except Refused as refused:
        return JsonResponse(refused.body, status=refused.status)
    except ledger.Short as short:
        return _error(409, "short", f"only {short.balance} left in {wanted.box}", balance=short.balance)
    except ledger.KeyReused as error:
        return _error(422, "key-reused", f"{error}")
    body = {
        "movement": entry.movement,
        "part": pk,
        "box": wanted.box.code,
        "delta": entry.delta,
        "balance": entry.balance,
        "replayed": entry.replayed,
    }
    return JsonResponse(body, status=200 if entry.replayed else 201)


def _read(request: HttpRequest) -> _Change:
    try:
        key = uuid.UUID(request.headers.get(KEY_HEADER, ""))
    except ValueError:
        raise Refused(400, "bad-key", f"the header {KEY_HEADER} must be a UUID of your choice") from None
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Refused(400, "bad-json", "the body must be JSON") from None
    code, quantity = (body.get("box"), body.get("quantity")) if isinstance(body, dict) else (None, None)
    if type(quantity) is not int or not 1 <= quantity <= ledger.MAX_QUANTITY:
        raise Refused(400, "bad-quantity", f"quantity must be a whole number from 1 to {ledger.MAX_QUANTITY}")
    box = Box.objects.filter(code=code).first() if isinstance(code, str) and code.isprintable() else None
    if box is None:
        raise Refused(400, "bad-box", "box must be the code of a box")
    return _Change(box, quantity, key)


def _not_found(pk: int) -> JsonResponse:
    return _error(404, "not-found", f"there is no part {pk}")


def _error(status: int, code: str, detail: str, **more: Any) -> JsonResponse:
    return JsonResponse({"error": code, "detail": detail, **more}, status=status)
