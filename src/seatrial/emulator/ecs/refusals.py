"""The two ways of refusing a request: AWS would refuse it too, or only this emulator does."""

from __future__ import annotations

from seatrial.emulator.front.actions import ApiError


def invalid(message: str) -> ApiError:
    """Return an InvalidParameterException to raise."""
    return ApiError("InvalidParameterException", message)


def unsupported(what: str) -> ApiError:
    """Return an UnsupportedFeatureException to raise."""
    return ApiError("UnsupportedFeatureException", f"The emulator does not support {what}.")
