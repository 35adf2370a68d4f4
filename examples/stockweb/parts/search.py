"""Finding parts by words that may be incomplete or misspelt."""

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import FloatField, Q, QuerySet
from django.db.models.functions import Cast

from parts.models import Part
from stockweb.store import on_mongodb

#: Words beyond these add nothing but work for the database.
MAX_WORDS = 8
#: Shorter words have too few trigrams to be told apart when one letter is wrong.
_FUZZY_LENGTH = 4


@on_mongodb("parts.mongo")
def found(parts: QuerySet[Part], text: str) -> QuerySet[Part]:
    """Return the parts that have every word of ``text`` somewhere in name, number, maker, description or tags.

    A word of letters may be misspelt (``resitor``); one with a digit may not, because ``100n`` is no ``10n``. How alike
    is enough is set for the connection, in the settings. The best match is first: the very part number, then by how
    like the whole text is.
    """
    words = text.upper().replace("\x00", "").split()[:MAX_WORDS]
    if not words:
        return parts
    for word in words:
        condition = Q(search__contains=word)
        if len(word) >= _FUZZY_LENGTH and word.isalpha():
            condition |= Q(search__trigram_strict_word_similar=word)
        parts = parts.filter(condition)
    wanted = " ".join(words)
    # In double precision, which Python has too: a page that begins after a part compares with its likeness.
    likeness = Cast(TrigramWordSimilarity(wanted, "search"), FloatField())
    return parts.annotate(likeness=likeness, is_it=Q(mpn__iexact=wanted)).order_by("-is_it", "-likeness", "name", "pk")
