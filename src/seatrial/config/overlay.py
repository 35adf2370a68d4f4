"""One environment merged over the top-level tables. Pure.

``[environments.NAME]`` holds two kinds of keys: its own (:class:`~seatrial.config.models.Environment`: cloud, base,
domain ...) and tables that are laid over the top-level ones, key by key. A value replaces a value; a table merges into
a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.config.models import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_KEYS = frozenset(Environment.model_fields)

#: The environment that every project has without writing it.
LOCAL = "local"


def merged(document: Mapping[str, Any], environment: str) -> dict[str, Any]:
    """Return what :class:`~seatrial.config.models.Settings` is validated from. Raises KeyError if unknown."""
    environments = document.get("environments", {})
    if environment not in environments and environment != LOCAL:
        raise KeyError(environment)
    overlay = environments.get(environment, {})
    own = {key: value for key, value in overlay.items() if key in OWN_KEYS}
    if environment == LOCAL:
        own.setdefault("cloud", "emulator")
    top = {key: value for key, value in document.items() if key != "environments"}
    laid = _laid_over(top, {key: value for key, value in overlay.items() if key not in OWN_KEYS})
    return {**laid, "name": environment, "target": own}


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        result[key] = _laid_over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return result
