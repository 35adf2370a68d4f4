"""Log records as one line of JSON each, with the version that wrote them."""

import json
import logging
import time
from typing import Any

#: What every record has; anything else on it was given by the caller with ``extra`` and belongs into the line.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request", "server_time"}


class JsonFormatter(logging.Formatter):
    """``{"at": ..., "level": ..., "logger": ..., "version": ..., "message": ...}``, and what ``extra`` adds."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self._version = version

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; a traceback becomes one string in it."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "at": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "version": self._version,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


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
        },
    }
