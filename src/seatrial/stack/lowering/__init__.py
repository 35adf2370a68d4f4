"""The neutral model lowered to the resource graph: a file for each nested stack, the roots in ``base`` and ``app``.

This is where every AWS value is chosen, and where each says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack.graph import check
from seatrial.stack.lowering.app import app_bundle
from seatrial.stack.lowering.base import base_bundle

if TYPE_CHECKING:
    from seatrial.stack.graph import Bundle
    from seatrial.stack.model import Stack


def lower(stack: Stack) -> tuple[Bundle, Bundle]:
    """Return the base bundle and the app bundle of an environment, checked.

    Raises :class:`~seatrial.errors.UsageError` where two names of seatrial.toml would become one logical name.
    """
    bundles = (base_bundle(stack.base), app_bundle(stack))
    for bundle in bundles:
        check(bundle)
    return bundles
