"""A requirement in one line: ``capacitor, ≥ 10 µF, ≥ 25 V, X7R, 0805, in stock``.

Items stand between commas. Which attribute one means is told by its name before it (``voltage ≥ 25 V``), by its unit
or, for a word, by the choices; a number without a unit means the first attribute. Where two could be meant, the line is
refused and says so.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress

from parts.models import AttributeDefinition, PartType
from parts.quantity import QuantityError
from parts.requirement import Clause, Requirement, RequirementError, Vocabulary, clause

#: A comma between digits is a decimal mark.
_BETWEEN_ITEMS = re.compile(r",(?![0-9])|(?<![0-9]),|;")
_MAX_ITEMS = 30
#: No attribute has such a key.
_PACKAGE = ":package"
_KIND = AttributeDefinition.Kind

#: Whether there are parts in a package of that name.
IsPackage = Callable[[str], bool]


def read_line(line: str, type_id: int | None, known: Vocabulary, is_package: IsPackage) -> Requirement:
    """Read a line about parts of a type. Raises :class:`RequirementError`, all of it about ``line``.

    Of the types within that one (or within all) it is about the topmost that has every attribute, so that ``X7R`` alone
    is about ceramic capacitors.
    """
    items = [" ".join(item.split()) for item in _BETWEEN_ITEMS.split(line) if item.strip()]
    if len(items) > _MAX_ITEMS:
        raise _wrong(f"write at most {_MAX_ITEMS} items")
    in_stock = any(item.casefold() == "in stock" for item in items)
    items = [item for item in items if item.casefold() != "in stock"]
    type_id, items = _named_type(items, type_id, known)
    found: dict[int, dict[str, str]] = {}
    first_error = None
    for candidate in _from_the_top(type_id, known):
        if found.keys() & {above.pk for above in known.types.path(candidate.pk)}:
            continue
        try:
            found[candidate.pk] = _wanted(items, known.definitions(candidate.pk), is_package)
        except RequirementError as error:
            first_error = first_error or error
    if not found:
        if type_id is not None and first_error is not None:
            raise first_error
        raise _wrong("no type of part has all of this: name the type first, as in “capacitor, 10uF”")
    if len(found) > 1:
        names = ", ".join(" › ".join(each.name for each in known.types.path(pk)) for pk in found)
        raise _wrong(f"name the type of part first, it may be: {names}")
    (one, wanted), *_ = found.items()
    package = wanted.pop(_PACKAGE, "")
    return known.requirement(one, wanted, package=package, in_stock=in_stock)


def _named_type(items: list[str], type_id: int | None, known: Vocabulary) -> tuple[int | None, list[str]]:
    """Find an item that names a type, best within the one that is chosen; return that type and the other items."""
    everywhere = list(known.types.rows)
    for inside in (everywhere if type_id is None else known.types.within(type_id), everywhere):
        for item in items:
            names = {item.casefold(), item.casefold().removesuffix("s")}
            named = [each for each in inside if known.types.rows[each].name.casefold() in names]
            if len(named) == 1:
                return named[0], [each for each in items if each != item]
    return type_id, items


def _from_the_top(type_id: int | None, known: Vocabulary) -> Iterator[PartType]:
    """Yield the type and those below it, parents first; all types where none is chosen."""
    if type_id is not None:
        yield known.types.rows[type_id]
    for _, each in known.types.walk(type_id):
        yield each


def _wanted(items: list[str], definitions: list[AttributeDefinition], is_package: IsPackage) -> dict[str, str]:
    """Return the text of each attribute, and of the package, by key."""
    wanted: dict[str, str] = {}
    for item in items:
        key, text = _named(item, definitions) or _meant(item, definitions, is_package)
        if key in wanted:
            raise _wrong(f"{key.strip(':')} is asked for twice: “{wanted[key]}” and “{text}”")
        wanted[key] = text
    return wanted


def _named(item: str, definitions: list[AttributeDefinition]) -> tuple[str, str] | None:
    """Understand an item that begins with the name of an attribute."""
    names = {"package": _PACKAGE} | {
        name.casefold(): each.key for each in definitions for name in (each.key, each.label)
    }
    for name in sorted(names, key=len, reverse=True):
        rest = item[len(name) :]
        if not item.casefold().startswith(name) or rest[:1].isalnum():
            continue
        text = rest.strip().removeprefix(":").strip()
        if names[name] == _PACKAGE:
            return (_PACKAGE, text) if text else None
        definition = next(each for each in definitions if each.key == names[name])
        try:
            return definition.key, clause(definition, text or ("yes" if definition.kind == _KIND.BOOLEAN else "")).text
        except QuantityError as error:
            raise _wrong(f"{definition}: {error}") from None
    return None


def _meant(item: str, definitions: list[AttributeDefinition], is_package: IsPackage) -> tuple[str, str]:
    """Understand an item by its unit, or as a choice, as a package, or as a number for the first attribute."""
    clauses = list(_readings(item, definitions))
    sure = [each for each in clauses if each.united or each.words]
    if not sure and is_package(item):
        return _PACKAGE, item
    bare = [each for each in clauses if each.definition == _first_number(definitions)]
    meant = sure or bare
    if len(meant) > 1:
        names = " or ".join(each.definition.key for each in meant)
        raise _wrong(f"“{item}” may be {names}: write which, as in “{meant[0].definition.key} {item}”")
    if not meant:
        there = ", ".join(each.key for each in definitions) or "none"
        raise _wrong(f"“{item}” is not understood; the attributes are: {there}")
    return meant[0].definition.key, meant[0].text


def _readings(item: str, definitions: list[AttributeDefinition]) -> Iterator[Clause]:
    """Yield what an item would say of each attribute. Any text and yes or no need the attribute's name."""
    for definition in definitions:
        if definition.kind not in (_KIND.TEXT, _KIND.BOOLEAN):
            with suppress(QuantityError):
                yield clause(definition, item)


def _first_number(definitions: list[AttributeDefinition]) -> AttributeDefinition | None:
    return next((each for each in definitions if each.kind in (_KIND.QUANTITY, _KIND.RANGE)), None)


def _wrong(reason: str) -> RequirementError:
    return RequirementError({"line": reason})
