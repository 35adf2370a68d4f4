"""A request of CloudFormation's API, and how most mistakes in one are answered."""

from __future__ import annotations

from typing import Any

from seatrial.emulator.front.actions import ApiError

Request = dict[str, Any]


def refuse(message: str) -> ApiError:
    """Return the error with which CloudFormation answers most mistakes."""
    return ApiError("ValidationError", message)
