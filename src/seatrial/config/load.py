"""``seatrial.toml`` in, settings out. Every error carries file, line and key; all errors of a file come at once."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from seatrial.config.fields import Misplaced
from seatrial.config.models import Environment, Settings
from seatrial.config.overlay import LOCAL, OWN_KEYS, merged
from seatrial.config.positions import Positions
from seatrial.config.strategies import BlueGreen, Canary, CodeDeploy, Linear, Rolling
from seatrial.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

_IGNORED = ("name", "target")
_STRATEGY = ("target", "strategy")
_TYPES: dict[str, type[BaseModel]] = {
    "rolling": Rolling,
    "blue_green": BlueGreen,
    "canary": Canary,
    "linear": Linear,
    "codedeploy": CodeDeploy,
}


def load(path: Path, environment: str) -> Settings:
    """Read the settings of one environment.

    Raises :class:`~seatrial.errors.ConfigError` (exit code 2) naming file, line and key.
    """
    return loads(_read(path), environment, file=str(path))


def loads(text: str, environment: str, *, file: str = "seatrial.toml") -> Settings:
    """Like :func:`load`, from the file's text; ``file`` is the name in errors."""
    document = _parsed(text, file)
    positions = Positions(text)
    _only_tables_of_ours(document, positions, file)
    try:
        values = merged(document, environment)
    except KeyError:
        names = [*document.get("environments", {}), LOCAL]
        raise ConfigError(
            f'there is no environment "{environment}"',
            file=file,
            line=positions.line(("environments",)),
            key=f"environments.{environment}",
            hint=_nearest(environment, names) or f"known environments: {', '.join(sorted(set(names)))}",
        ) from None
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        overlay = document.get("environments", {}).get(environment, {})
        raise _translated(error, environment, overlay, positions, file) from None


def environments(path: Path) -> tuple[str, ...]:
    """Return the names of the environments in the file, ``local`` among them."""
    document = _parsed(_read(path), str(path))
    return tuple(dict.fromkeys([*document.get("environments", {}), LOCAL]))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            "there is no such file", file=str(path), hint="run in the directory of seatrial.toml, or give --config FILE"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=str(path)) from None


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"\(at line (\d+)", str(error))
        at_end = text.count("\n") + 1
        raise ConfigError(
            f"is not valid TOML: {re.sub(r' ?[(]at .*[)]', '', str(error))}",
            file=file,
            line=int(match[1]) if match else at_end,
        ) from None


def _only_tables_of_ours(document: Mapping[str, Any], positions: Positions, file: str) -> None:
    """Refuse what the merge could not take apart: environments that are no tables, and the names we use inside."""
    for reserved in _IGNORED:
        if reserved in document:
            raise ConfigError(
                "is not a known key", file=file, line=positions.line((reserved,)), key=reserved, hint=_known_tables()
            )
    environments_ = document.get("environments", {})
    if not isinstance(environments_, dict):
        raise ConfigError("expected a table", file=file, line=positions.line(("environments",)), key="environments")
    for name, overlay in environments_.items():
        if not isinstance(overlay, dict):
            where = ("environments", name)
            raise ConfigError("expected a table", file=file, line=positions.line(where), key=".".join(where))


def _translated(
    error: ValidationError, environment: str, overlay: Mapping[str, Any], positions: Positions, file: str
) -> ConfigError:
    found = [_one(details, environment, overlay, positions, file) for details in error.errors()]
    found.sort(key=lambda each: (each.line or 0, each.key or ""))
    first, *rest = found
    first.details = tuple(f"{each.message}{f' ({each.hint})' if each.hint else ''}" for each in rest)
    return first


def _one(
    details: ErrorDetails, environment: str, overlay: Mapping[str, Any], positions: Positions, file: str
) -> ConfigError:
    location = tuple(part for part in details["loc"] if part != "[key]")
    location += _further(details)
    path = _written_at(_without_tag(location), environment, overlay)
    message, hint = _message(details), None
    if details["type"] == "extra_forbidden":
        message = "is not a known key"
        hint = _suggestion(location, path)
    return ConfigError(message, file=file, line=positions.line(path), key=".".join(map(str, path)) or None, hint=hint)


def _further(details: ErrorDetails) -> tuple[str, ...]:
    """Return where below the reported place the error is, if whoever found it out said so."""
    error = details.get("ctx", {}).get("error")
    if isinstance(error, Misplaced):
        return error.location
    return ("type",) if details["type"] in ("union_tag_not_found", "union_tag_invalid") else ()


def _without_tag(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return the location without the ``type`` that pydantic puts in after ``strategy``, the one choice of tables."""
    inside = location[: len(_STRATEGY)] == _STRATEGY and len(location) > len(_STRATEGY)
    return (*_STRATEGY, *location[len(_STRATEGY) + 1 :]) if inside and location[len(_STRATEGY)] in _TYPES else location


def _written_at(location: tuple[int | str, ...], environment: str, overlay: Mapping[str, Any]) -> tuple[int | str, ...]:
    """Return where a person wrote the value: in the environment's overlay if it is there, else at the top."""
    if location[:1] == ("target",):
        return ("environments", environment, *location[1:])
    here: Any = overlay
    for part in location:
        if not isinstance(here, dict) or part not in here:
            return location
        here = here[part]
    return ("environments", environment, *location) if location else location


def _message(details: ErrorDetails) -> str:
    value, context = details.get("input"), details.get("ctx", {})
    shown = f", not {value!r}" if isinstance(value, str | int | float | bool) else ""
    match details["type"]:
        case "missing":
            message = "is required"
        case "union_tag_not_found":
            message = f"is required: {', '.join(_TYPES)}"
        case "union_tag_invalid":
            message = f"expected {context['expected_tags']}, not {context['tag']!r}"
        case "value_error":
            message = str(context["error"])
        case "literal_error":
            message = f"expected {context['expected']}{shown}"
        case "model_type" | "model_attributes_type":
            message = f"expected a table{shown}"
        case "string_pattern_mismatch":
            message = f"expected text that matches {context['pattern']}{shown}"
        case _:
            text = details["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
            expected = "expected " if details["msg"].startswith("Input should be ") else ""
            message = f"{expected}{text}{shown}"
    return message


def _suggestion(location: tuple[int | str, ...], path: tuple[int | str, ...]) -> str | None:
    """Return what the unknown key at ``location`` may have meant; ``path`` is where it was written."""
    known = _known_keys(location[:-1])
    if location[:-1] in ((), ("target",)) and path[:1] == ("environments",):
        known = [*OWN_KEYS, *_top_level()]
    return _nearest(str(location[-1]), known) or (f"known keys: {', '.join(sorted(known))}" if known else None)


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the table at ``location`` may have."""
    if not location:
        return _top_level()
    annotation: Any = Settings
    for part in location:
        if get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
            continue
        if part in _TYPES and location[: len(_STRATEGY)] == _STRATEGY:
            annotation = _TYPES[str(part)]
            continue
        model = _model(annotation)
        if model is None or part not in model.model_fields:
            return []
        annotation = model.model_fields[str(part)].annotation
    model = _model(annotation)
    return [] if model is None else [field.alias or name for name, field in model.model_fields.items()]


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model inside ``Model | None`` or ``Annotated[Model, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model, get_args(annotation))), None)


def _top_level() -> list[str]:
    return [*(name for name in Settings.model_fields if name not in _IGNORED), "environments"]


def _known_tables() -> str:
    return f"known tables: {', '.join(sorted(_top_level()))}"


def _nearest(word: str, known: Iterable[str]) -> str | None:
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f'did you mean "{matches[0]}"?' if matches else None


assert set(_IGNORED).isdisjoint(Environment.model_fields)  # a key of an environment must never hide one of ours
