"""What can go wrong inside the engine, before it becomes an answer of the API or the reason of a resource event."""

from __future__ import annotations


class TemplateError(Exception):
    """The template or the parameters are refused; the text is AWS's and becomes a ``ValidationError``."""


class ResourceFailed(Exception):
    """A resource could not be created, changed or deleted; the text becomes the reason in its event."""


class Stopped(Exception):
    """The wait for a resource was given up: another resource of the operation failed, or the emulator ends."""
