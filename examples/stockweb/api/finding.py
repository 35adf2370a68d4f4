"""Parts by requirement, as JSON.

``GET /api/find?line=10u, 25V, X7R, in stock``
``GET /api/find?type=4&attr:capacitance=>=10u&attr:dielectric=X7R&package=0805&stock=1&page=2``

Answers with what the requirement was understood as, the parts that suit (the best first) and, on the first page, those
that could: each says which attributes are unknown. 400 has the reason of each attribute that is ``wrong``.
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from parts.asking import asked
from parts.attributes import attributes
from parts.requirement import Requirement, RequirementError, vocabulary
from stock.holdings import holdings
from stock.suiting import Bucket, possible, suiting, unknown

PAGE_SIZE = 25
#: Counting further tells nobody anything; then ``more`` is true.
MAX_COUNT = 1000


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Return the parts that suit, and those that could. Six queries, and one for each word that may be a package."""
    try:
        requirement = _requirement(request)
        number = _page(request.GET.get("page", "1"))
    except RequirementError as error:
        body = {"error": "bad-requirement", "detail": f"{error}", "wrong": error.wrong}
        return JsonResponse(body, status=400)
    suits = suiting(requirement, (number - 1) * PAGE_SIZE, PAGE_SIZE)
    could = possible(requirement, PAGE_SIZE) if number == 1 else Bucket()
    details = _details([part.pk for part in (*suits.parts, *could.parts)])
    body = {
        "requirement": {
            "type": requirement.type.pk,
            "type_name": requirement.type.name,
            "wanted": {clause.definition.key: clause.text for clause in requirement.clauses},
            "package": requirement.package,
            "in_stock": requirement.in_stock,
        },
        "suits": _bucket(suits, details),
        "could_suit": _bucket(could, details, requirement),
    }
    return JsonResponse(body)


def _requirement(request: HttpRequest) -> Requirement:
    requirement = asked(request.GET, vocabulary())
    if requirement is None:
        raise RequirementError({"type": "name a type of part, or write a line"})
    return requirement


def _bucket(
    bucket: Bucket, details: dict[int, dict[str, Any]], requirement: Requirement | None = None
) -> dict[str, Any]:
    parts = []
    for part in bucket.parts:
        row = {"id": part.pk, "name": part.name, "mpn": part.mpn, "manufacturer": part.manufacturer}
        row |= {"package": part.package, **details[part.pk]}
        if requirement is not None:
            row["unknown"] = [key for key, _ in unknown(requirement, part)]
        parts.append(row)
    return {"count": min(bucket.count, MAX_COUNT), "more": bucket.count > MAX_COUNT, "parts": parts}


def _details(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    held, specified = holdings(ids), attributes(ids)
    return {
        pk: {
            "attributes": {attribute.key: attribute.value for attribute in specified.get(pk, ())},
            "stock": [{"box": holding.box, "quantity": holding.qty} for holding in held.get(pk, ())],
            "total": sum(holding.qty for holding in held.get(pk, ())),
        }
        for pk in ids
    }


def _page(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= len(text) < 4 and 1 <= int(text) <= MAX_COUNT // PAGE_SIZE):
        raise RequirementError({"page": f"a page is a number from 1 to {MAX_COUNT // PAGE_SIZE}"})
    return int(text)
