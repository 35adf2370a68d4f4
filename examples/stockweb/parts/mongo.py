"""Finding parts by words in MongoDB, which knows nothing of trigrams: words may be incomplete, but not misspelt."""

import re

from django.db.models import Case, FloatField, Q, QuerySet, Value, When

from parts.models import Part
from parts.search import MAX_WORDS

_FIELDS = ("name", "mpn", "manufacturer", "description", "tags")


def found(parts: QuerySet[Part], text: str) -> QuerySet[Part]:
    """Return the parts that have every word of ``text`` somewhere; see :func:`parts.search.found`.

    The best match is first: the very part number, then those that have the whole text in their name.
    """
    words = text.upper().replace("\x00", "").split()[:MAX_WORDS]
    if not words:
        return parts
    for word in words:
        anywhere = Q()
        for field in _FIELDS:
            anywhere |= Q(**{f"{field}__iregex": re.escape(word)})
        parts = parts.filter(anywhere)
    wanted = re.escape(" ".join(words))
    return parts.annotate(
        likeness=Case(When(name__iregex=wanted, then=Value(1.0)), default=Value(0.0), output_field=FloatField()),
        is_it=Case(When(mpn__iregex=f"^{wanted}$", then=Value(value=True)), default=Value(value=False)),
    ).order_by("-is_it", "-likeness", "name", "pk")
