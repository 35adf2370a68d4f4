"""Log records as one line of JSON each, with the version that wrote them and the request that they belong to."""

import json
from typing import Any

import structlog
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict

#: What Django and its server put on a record that is no text.
_OBJECTS = ("request", "server_time")


class JsonFormatter(structlog.stdlib.ProcessorFormatter):
    """``{"at": ..., "level": ..., "logger": ..., "version": ..., "message": ...}``, and what ``extra`` adds."""

    def __init__(self, version: str) -> None:
        def ours(_logger: Any, _method: str, line: EventDict) -> EventDict:
            for name in _OBJECTS:
                line.pop(name, None)
            message = line.pop("event")
            return {**line, "version": version, "message": message}

        super().__init__(
            foreign_pre_chain=[
                merge_contextvars,
                structlog.stdlib.ExtraAdder(),
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                structlog.processors.format_exc_info,
                ours,
                structlog.processors.JSONRenderer(serializer=json.dumps, default=str, ensure_ascii=False),
            ],
        )


def logging_config(version: str, *, plain: bool = False) -> dict[str, Any]:
    """Return a ``logging.config.dictConfig`` that writes everything to standard output; ``plain`` is for a terminal."""
    shape = {"format": "%(levelname)s %(name)s: %(message)s"} if plain else {"()": JsonFormatter, "version": version}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": shape},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
        "root": {"handlers": ["stdout"], "level": "INFO"},
        "loggers": {
            # Django, gunicorn and uvicorn attach handlers of their own; one line a record is enough.
            name: {"handlers": [], "level": "INFO", "propagate": True}
            for name in ("django", "django.server", "gunicorn.error", "gunicorn.access", "uvicorn", "uvicorn.error")
        }
        | {"botocore": {"level": "WARNING"}},  # it tells where it found its credentials
    }
