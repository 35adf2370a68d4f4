"""Lambda's Invoke, over moto's functions.

Names of moto used: ``lambda_backends``, ``LambdaBackend.get_function``, ``LambdaFunction`` (``invoke`` is replaced)
with ``code_bytes``, ``environment_vars``, ``handler``, ``run_time``, ``timeout``, ``memory_size``, ``version``,
``function_name``, ``function_arn``, ``region``; ``logs_backends`` for the log group.
"""

from __future__ import annotations

import base64
import json
import threading
import zipfile
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from seatrial.emulator.lambda_functions.code import Code
from seatrial.emulator.lambda_functions.process import Processes
from seatrial.emulator.lambda_functions.report import Invocation, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.emulator.clock import Clock
    from seatrial.emulator.settings import EmulatorSettings

#: Bytes of the log's end that Invoke gives back for ``LogType=Tail``.
TAIL = 4096


class LambdaFunctions:
    """Python handlers that run; what is written in another language fails and says so."""

    def __init__(self, settings: EmulatorSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._code = Code(settings.state / "functions")
        self._processes = Processes()
        self._log_lock = threading.Lock()
        self._replaced: Any = None

    def install(self) -> None:
        """Take over from moto what happens to an invocation."""
        from moto.awslambda.models import LambdaFunction

        self._replaced = LambdaFunction.invoke

        def invoke(function: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
            return self._answer(function, body, request_headers or {}, response_headers)

        LambdaFunction.invoke = invoke

    def stop(self) -> None:
        """End every invocation and give moto its own back."""
        from moto.awslambda.models import LambdaFunction

        if self._replaced is not None:
            LambdaFunction.invoke = self._replaced
        self._processes.stop()

    def invoke(self, name: str, payload: bytes) -> bytes:
        """Invoke a function by name or ARN and return its answer, be it an error. Raises ``LookupError``."""
        from moto.awslambda.exceptions import LambdaClientError
        from moto.awslambda.models import lambda_backends

        try:
            function = lambda_backends[self._settings.account][self._settings.region].get_function(name, None)
        except LambdaClientError as error:
            raise LookupError(f"Function not found: {name}") from error
        return self._run(function, payload).payload

    def _answer(self, function: Any, body: Any, request: Mapping[str, str], response: Any) -> bytes:
        """Answer Invoke in the way that the request's headers ask for."""
        payload = body.encode() if isinstance(body, str) else bytes(body or b"")
        kind = request.get("X-Amz-Invocation-Type") or request.get("x-amz-invocation-type") or "RequestResponse"
        response["x-amz-executed-version"] = str(function.version)
        if kind == "DryRun":
            return b""
        if kind == "Event":
            threading.Thread(target=self._run, args=(function, payload), name="lambda-event", daemon=True).start()
            return b""
        invocation = self._run(function, payload)
        if invocation.error:
            response["x-amz-function-error"] = invocation.error
        tail = "\n".join(invocation.log).encode()[-TAIL:]
        response["x-amz-log-result"] = base64.b64encode(tail).decode()
        return invocation.payload

    def _run(self, function: Any, payload: bytes) -> Invocation:
        request = str(uuid4())
        stream = f"{self._clock.now():%Y/%m/%d}/[{function.version}]{uuid4().hex}"
        if not str(function.run_time).startswith("python"):
            text = f"The emulator runs Python handlers, not {function.run_time}."
            return _failed("Runtime.InvalidRuntime", text)
        try:
            directory = self._code.directory(function.code_bytes)
        except zipfile.BadZipFile:
            return _failed("Runtime.InvalidArchive", "Could not unzip the function's code.")
        environment = self._environment(function, request, stream, str(directory))
        timeout = float(function.timeout)
        run = self._processes.run(payload or b"{}", environment, directory, timeout)
        invocation = told(
            run,
            request=request,
            version=str(function.version),
            timeout=timeout,
            memory=int(function.memory_size),
            now=self._clock.now(),
        )
        self._log(function, stream, invocation.log)
        return invocation

    def _environment(self, function: Any, request: str, stream: str, directory: str) -> dict[str, str]:
        """Return Lambda's own variables and the function's, and what leads its AWS SDK to this emulator."""
        return {
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": self._settings.endpoint,
            "AWS_ACCESS_KEY_ID": "emulator",
            "AWS_SECRET_ACCESS_KEY": "emulator",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            **{str(name): str(value) for name, value in (function.environment_vars or {}).items()},
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": _group(function),
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "LAMBDA_TASK_ROOT": directory,
            "_HANDLER": function.handler,
            "_FUNCTION_ARN": function.function_arn,
            "_REQUEST_ID": request,
            "_TIMEOUT": str(function.timeout),
        }

    def _log(self, function: Any, stream: str, lines: tuple[str, ...]) -> None:
        from moto.logs.models import logs_backends

        backend = logs_backends[self._settings.account][function.region]
        stamp = int(self._clock.now().timestamp() * 1000)
        with self._log_lock:
            backend.ensure_log_group(_group(function))
            backend.ensure_log_stream(_group(function), stream)
            events = [{"timestamp": stamp, "message": line} for line in lines if line]
            backend.put_log_events(_group(function), stream, events)


def _group(function: Any) -> str:
    return f"/aws/lambda/{function.function_name}"


def _failed(kind: str, text: str) -> Invocation:
    return Invocation(json.dumps({"errorType": kind, "errorMessage": text}).encode(), "Unhandled", (text,))
