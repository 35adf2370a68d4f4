"""Replacing and adding AWS API actions on moto's response classes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

#: An action takes the request's parameters as boto3 would send them and returns the answer as boto3 would give it.
Action = Callable[[dict[str, Any]], dict[str, Any]]


class ApiError(ServiceException):  # type: ignore[misc]  # moto is not typed here
    """An AWS error answer: ``code`` is the exception's name in the service model, ``message`` AWS's text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install(response_class: type, actions: Mapping[str, Action]) -> None:
    """Set ``actions`` (snake-case name → function) on a moto response class, over its own or as new ones."""
    for name, action in actions.items():
        setattr(response_class, name, _method(name, action))


#: Runs around moto's own action: gets the request's parameters and a function that lets moto answer.
Around = Callable[[Any, Callable[[], Any]], Any]


def wrap(response_class: type, arounds: Mapping[str, Around]) -> None:
    """Put functions around actions that moto has. What they return, or moto's own answer, is the answer."""
    for name, around in arounds.items():
        setattr(response_class, name, _around(name, around, getattr(response_class, name)))


def _around(name: str, around: Around, own: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        return around(_parameters(self), lambda: own(self))

    method.__name__ = name
    return method


def _method(name: str, action: Action) -> Callable[[Any], ActionResult]:
    def method(self: Any) -> ActionResult:
        return ActionResult(action(_parameters(self)))

    method.__name__ = name
    return method


def _parameters(response: Any) -> Any:
    """Return the request's parameters: moto's own mapping, not a copy, so that :func:`wrap` can change what moto sees.

    moto reads them by the service's model only where a response class asks for it; elsewhere it looks at the query
    alone, and the parameters of a JSON service are in the body.
    """
    if response.automated_parameter_parsing or not response.body.lstrip().startswith("{"):
        return response._get_params()  # noqa: SLF001 - moto's own way for its response classes
    return dict(json.loads(response.body))
