"""The process of one invocation. Run as a script: ``bootstrap.py RESULT``; the event comes on standard input.

Imports the handler named by ``_HANDLER`` from ``LAMBDA_TASK_ROOT``, calls it and writes what it returned, or the error
as Lambda's Python runtime tells it, to the file RESULT. Knows nothing of seatrial.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any


class Context:
    """The handler's context object ("AWS Lambda context object in Python", Lambda developer guide)."""

    def __init__(self) -> None:
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = os.environ.pop("_FUNCTION_ARN")
        self.aws_request_id = os.environ.pop("_REQUEST_ID")
        self.identity = self.client_context = None
        self._deadline = time.monotonic() + float(os.environ.pop("_TIMEOUT"))

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds before the invocation times out."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def main(result: Path) -> int:
    """Run one invocation; return the process's exit code."""
    context = Context()
    logging.basicConfig(
        level=logging.WARNING,
        format=f"[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t{context.aws_request_id}\t%(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    logging.Formatter.converter = time.gmtime
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    event = json.load(sys.stdin)
    try:
        answer = _dumped(_handler(os.environ["_HANDLER"])(event, context))
    except Exception as error:  # noqa: BLE001  # whatever the handler raises is the invocation's answer
        result.write_text(json.dumps(_told(error, context.aws_request_id)), encoding="utf-8")
        traceback.print_exc()
        return 1
    result.write_text(answer, encoding="utf-8")
    return 0


def _handler(name: str) -> Any:
    module, _, function = name.rpartition(".")
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        raise _RuntimeFault("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}") from error
    handler = getattr(found, function, None)
    if handler is None:
        raise _RuntimeFault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'")
    return handler


def _dumped(answer: Any) -> str:
    try:
        return json.dumps(answer)
    except TypeError as error:
        raise _RuntimeFault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _told(error: Exception, request: str) -> dict[str, Any]:
    if isinstance(error, _RuntimeFault):
        return {"errorMessage": error.text, "errorType": error.kind, "requestId": request, "stackTrace": []}
    stack = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
    return {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": request, "stackTrace": stack}


class _RuntimeFault(Exception):
    """A fault that Lambda's runtime itself reports."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, text


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
