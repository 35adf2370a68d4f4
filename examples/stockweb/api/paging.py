"""Pages by key: each begins after the last row of the one before, so rows that come or go in between shift nothing.

``{"items": [...], "next": "..."}``: ``?cursor=`` takes what ``next`` says, ``?limit=`` how many (50, at most 200). A
cursor is signed: what it says ends up in a query.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from rest_framework import serializers

from api.errors import bad_parameters

DEFAULT, MOST = 50, 200
#: Counting further tells nobody anything.
COUNT_LIMIT = 1001
_SALT = "stockweb.cursor"


class PageQuery(serializers.Serializer):
    """What every list takes."""

    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=DEFAULT, help_text="rows of a page")
    cursor = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, trim_whitespace=False, help_text="`next` of the page before"
    )


def page(
    rows: QuerySet,
    order: Sequence[str],
    query: dict[str, Any],
    body: Callable[[Sequence[Any]], list[Any]],
    *,
    counted: bool = False,
) -> dict[str, Any]:
    """Return a page of rows (models or dicts) by columns that together are unique; ``-`` is before descending ones.

    ``body`` makes of the rows what is told of them; ``counted`` is for pages that say how many rows there are. One
    query, and one for the count, which is made for the first page alone.
    """
    count = {}
    if counted:
        count["count"] = None if query.get("cursor") else rows.order_by().values("pk")[:COUNT_LIMIT].count()
    columns = [(name.removeprefix("-"), name.startswith("-")) for name in order]
    if query.get("cursor"):
        rows = rows.filter(_after(columns, _read(query["cursor"], order)))
    found = list(rows.order_by(*order)[: query["limit"] + 1])
    shown = found[: query["limit"]]
    following = None
    if len(found) > len(shown):
        last = shown[-1]
        values = [last[name] if isinstance(last, dict) else getattr(last, name) for name, _ in columns]
        following = signing.dumps([list(order), values], salt=_SALT)
    return {"items": body(shown), "next": following, **count}


@cache
def page_of(item: type[serializers.Serializer], *, counted: bool = False) -> type[serializers.Serializer]:
    """Return the serializer, for the schema, of a page of such items."""
    fields: dict[str, Any] = {
        "__doc__": "A page of a list.",
        "__module__": __name__,
        "items": item(many=True),
        "next": serializers.CharField(allow_null=True, help_text="the `cursor` of the next page, if there is one"),
    }
    if counted:
        help_text = f"how many there are, but no more than {COUNT_LIMIT}; on the first page only"
        fields["count"] = serializers.IntegerField(allow_null=True, help_text=help_text)
    return type(f"{item.__name__.removesuffix('Body')}Page", (serializers.Serializer,), fields)


def _after(columns: Sequence[tuple[str, bool]], values: Sequence[Any]) -> Q:
    """Return what holds for rows behind the one with these values: a column decides where those before it tie."""
    condition, tie = Q(pk__in=()), Q()
    for (name, descending), value in zip(columns, values, strict=True):
        condition |= tie & Q(**{f"{name}__{'lt' if descending else 'gt'}": value})
        tie &= Q(**{name: value})
    # The same again for the first column alone, which an index can begin at.
    first, descending = columns[0]
    return Q(**{f"{first}__{'lte' if descending else 'gte'}": values[0]}) & condition


def _read(cursor: str, order: Sequence[str]) -> list[Any]:
    try:
        of, values = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError):
        of, values = None, []
    if of != list(order):
        raise bad_parameters({"cursor": "take it from `next` of a page of this list"})
    return values
