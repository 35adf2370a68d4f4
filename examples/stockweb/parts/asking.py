"""A requirement as an address asks for it, and the address of a requirement.

``type=4&attr:capacitance=>=10u&attr:dielectric=X7R&package=0805&stock=1``, or in words: ``line=10u, X7R, in stock``.
"""

from functools import cache
from urllib.parse import urlencode

from django.http import QueryDict

from parts.line import read_line
from parts.models import Part
from parts.requirement import OR, Requirement, RequirementError, Vocabulary

PREFIX = "attr:"
_MAX_LENGTH = 400


def asked(query: QueryDict, known: Vocabulary) -> Requirement | None:
    """Return what is asked for; None where nothing is. Raises :class:`RequirementError`."""
    texts = {key: f" {OR} ".join(filter(None, query.getlist(key))) for key in query}
    for key, text in texts.items():
        if not (key.isprintable() and text.isprintable() and len(text) <= _MAX_LENGTH):
            raise RequirementError({key.removeprefix(PREFIX): f"write at most {_MAX_LENGTH} characters in one line"})
    type_id = _type(texts.get("type", ""), known)
    if line := texts.get("line", "").strip():
        return read_line(line, type_id, known, cache(_is_package))
    wanted = {key.removeprefix(PREFIX): text for key, text in texts.items() if key.startswith(PREFIX)}
    if type_id is None:
        if any(wanted.values()):
            raise RequirementError({"type": "choose a type of part"})
        return None
    return known.requirement(
        type_id, wanted, package=texts.get("package", ""), in_stock=texts.get("stock", "") not in ("", "0")
    )


def address(requirement: Requirement) -> str:
    """Return the query string that asks for it."""
    return query_string(
        requirement.type.pk,
        {clause.definition.key: clause.text for clause in requirement.clauses},
        package=requirement.package,
        in_stock=requirement.in_stock,
    )


def query_string(type_id: int, wanted: dict[str, str], *, package: str, in_stock: bool) -> str:
    """Return the query string that asks for parts of a type, by texts by attribute key."""
    pairs = [("type", f"{type_id}"), *((f"{PREFIX}{key}", text) for key, text in wanted.items())]
    pairs += [("package", package)] if package else []
    pairs += [("stock", "1")] if in_stock else []
    return urlencode(pairs, safe=":")


def _type(text: str, known: Vocabulary) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) in known.types.rows):
        raise RequirementError({"type": f"there is no type of parts “{text}”"})
    return int(text)


def _is_package(text: str) -> bool:
    return Part.objects.filter(package__iexact=text).exists()
