"""Setting the attributes of a part from texts, all of them or none."""

from collections.abc import Mapping

from parts.models import AttributeDefinition, AttributeValue, Part
from parts.quantity import QuantityError
from parts.reading import read
from parts.requirement import Vocabulary


class WrongValues(Exception):
    """Some texts cannot be; ``wrong`` has the reason by the key of the attribute."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {reason}" for key, reason in wrong.items()))
        self.wrong = wrong


def set_values(part: Part, raws: Mapping[str, str], known: Vocabulary) -> None:
    """Write the attributes that are named, in a transaction of the caller's; an empty text removes one.

    Raises :class:`WrongValues` with all that is wrong: what cannot be read, what the part's type has not, what it
    requires and the part would not have.
    """
    values = AttributeValue.objects.filter(part=part).select_related("definition")
    present = {each.definition.key: each for each in values}
    texts = {key: " ".join(raw.split()) for key, raw in raws.items()}
    definitions = {each.key: each for each in known.definitions(part.type_id)}
    wrong = _wrong(
        f"{known.types.rows[part.type_id]}", definitions, {key: it.raw for key, it in present.items()}, texts
    )
    if wrong:
        raise WrongValues(wrong)
    for key, raw in texts.items():
        if not raw:
            if key in present:
                present[key].delete()
        elif key not in present:
            AttributeValue.objects.create(part=part, definition=definitions[key], raw=raw)
        elif present[key].raw != raw:
            present[key].raw = raw
            present[key].save()


def _wrong(
    of_type: str,
    definitions: Mapping[str, AttributeDefinition],
    present: Mapping[str, str],
    texts: Mapping[str, str],
) -> dict[str, str]:
    """Return what would be wrong with the values that are ``present`` once ``texts`` are written over them."""
    wrong = {}
    for key, raw in (present | texts).items():
        if key in definitions:
            if raw and key in texts:
                try:
                    read(definitions[key], raw)
                except QuantityError as error:
                    wrong[key] = f"{error}"
        elif key not in present:
            wrong[key] = f"{of_type} has no such attribute; it has {', '.join(definitions) or 'none'}"
        elif raw:  # a part that changes its type loses nothing silently
            wrong[key] = f"{of_type} has no such attribute: empty it"
    for key, definition in definitions.items():
        if definition.required and not (present | texts).get(key):
            wrong.setdefault(key, f"{of_type} needs it")
    return wrong
