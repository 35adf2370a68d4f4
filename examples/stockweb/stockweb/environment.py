"""Reading the process environment: what the settings are made of."""

import json
import os
import re
import urllib.request

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

METADATA_VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"
_METADATA_TIMEOUT = 2.0
_METADATA_ATTEMPTS = 3


def flag(name: str, *, default: bool = False) -> bool:
    """Return a variable as a truth value: 1, true, yes and on. Raises ``ImproperlyConfigured`` for nonsense."""
    text = os.environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={text!r}: expected 1 or 0")


def whole(name: str, default: int) -> int:
    """Return a variable as a whole number. Raises ``ImproperlyConfigured`` when it is none."""
    text = os.environ.get(name, "").strip()
    try:
        return int(text) if text else default
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={text!r}: expected a whole number") from error


def listed(name: str) -> list[str]:
    """Return a comma-separated variable as a list, empty where it is not set."""
    return [entry.strip() for entry in os.environ.get(name, "").split(",") if entry.strip()]


def origins(name: str) -> list[str]:
    """Return a comma-separated variable as origins. Raises ``ImproperlyConfigured`` for an entry that is none."""
    found = [entry.removesuffix("/") for entry in listed(name)]
    for entry in found:
        if not re.fullmatch(r"https?://[a-zA-Z0-9.-]+(:[0-9]+)?", entry):
            raise ImproperlyConfigured(f"{name}: {entry!r} is no origin, such as https://app.stockweb.example")
    return found


def one_of(name: str, *allowed: str) -> str:
    """Return a variable that has one of some values, the first unless it is set. Raises ``ImproperlyConfigured``."""
    text = os.environ.get(name, "").strip() or allowed[0]
    if text not in allowed:
        raise ImproperlyConfigured(f"{name}={text!r}: expected {' or '.join(allowed)}")
    return text


def required(name: str) -> str:
    """Return a variable. Raises ``ImproperlyConfigured`` when it is not set or empty."""
    text = os.environ.get(name, "").strip()
    if not text:
        raise ImproperlyConfigured(f"set the environment variable {name}")
    return text


def own_addresses() -> list[str]:
    """Return this ECS task's private IPv4 addresses, and nothing when this is no ECS task.

    A load balancer's health check names the target's address in its Host header, and no other name: unless
    ``ALLOWED_HOSTS`` has it, Django answers 400 and the task never becomes healthy. The format is that of the ECS task
    metadata endpoint, version 4. Raises ``ImproperlyConfigured`` when ECS names that endpoint but it does not answer.
    """
    address = os.environ.get(METADATA_VARIABLE)
    if not address:
        return []
    for attempt in range(1, _METADATA_ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(address, timeout=_METADATA_TIMEOUT) as answer:  # noqa: S310 - ECS sets it
                networks = json.load(answer).get("Networks", ())
            return [ip for network in networks for ip in network.get("IPv4Addresses", ())]
        except (OSError, ValueError) as error:
            if attempt == _METADATA_ATTEMPTS:
                raise ImproperlyConfigured(f"{METADATA_VARIABLE} is set, but {address} fails: {error}") from error
    return []


def require(setting: str, remedy: str) -> None:
    """Raise ``ImproperlyConfigured`` with the remedy when a setting is missing or empty."""
    try:
        value = getattr(settings, setting)
    except ImproperlyConfigured:  # what Django raises for an empty SECRET_KEY
        value = None
    if not value:
        raise ImproperlyConfigured(f"the {setting} setting must not be empty: {remedy}")
