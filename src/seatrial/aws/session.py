"""Whose account, which region, which endpoint: the one seam to AWS and to the emulator.

The environment decides the endpoint and nothing else does: every call made on AWS is made on the emulator too.
"""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

from seatrial.aws.errors import translated
from seatrial.aws.patience import Patience
from seatrial.errors import UsageError
from seatrial.servicemodels import read_fast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.config.models import Settings

#: Sent to an emulator whatever the caller's own keys are: real credentials never leave for a program on this machine.
_EMULATOR_KEYS = {"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator"}


class Aws:
    """AWS as one environment sees it. Clients are made once, on first use; may be shared by threads.

    ``endpoint`` is the emulator's URL, or None for AWS itself. ``pace`` is how many seconds to leave between two
    looks at something that changes: AWS's own rate limits ask for some, an emulator on this machine does not.
    ``patience`` is with calls that are not answered, while a release runs.
    """

    def __init__(self, region: str, *, endpoint: str | None = None) -> None:
        self.region = region
        self.endpoint = endpoint
        self.pace = 2.0 if endpoint is None else 0.25
        self.patience = Patience(120.0 if endpoint is None else 5.0, self.pace)
        self._lock = threading.RLock()
        self._session: Any = None
        self._clients: dict[str, Client] = {}
        self._identity: dict[str, str] | None = None

    @classmethod
    def for_environment(cls, settings: Settings, project_dir: Path, *, endpoint: str | None = None) -> Aws:
        """Return AWS for ``[environments.NAME]``: the usual credential chain, or the running emulator.

        For ``cloud = "emulator"`` the endpoint is, in this order: ``endpoint``, AWS_ENDPOINT_URL, the emulator
        that was started in ``project_dir`` (named by SEATRIAL_EMULATOR, ``local`` unless set). Raises
        :class:`~seatrial.errors.UsageError` if no emulator runs, or if the environment names another ``account``
        than the caller's.
        """
        if settings.target.cloud == "emulator":
            endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL") or emulator_endpoint(project_dir)
        aws = cls(settings.app.region, endpoint=endpoint)
        expected = settings.target.account
        if expected is not None and aws.account() != expected:
            raise UsageError(
                f"these credentials belong to account {aws.account()}, but environment {settings.name} "
                f"is in account {expected}",
                hint="choose the right profile with AWS_PROFILE; nothing was changed",
            )
        return aws

    def client(self, service: str) -> Client:
        """Return the client of a service (boto3's name of it), with this module's errors."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = Client(self._made(service), self.endpoint, self.patience)
            return self._clients[service]

    def account(self) -> str:
        """Return the caller's account id (sts:GetCallerIdentity, asked once)."""
        return self._caller()["Account"]

    def caller(self) -> str:
        """Return the caller's ARN."""
        return self._caller()["Arn"]

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``: the second field of every ARN."""
        return self.caller().split(":")[1]

    def _caller(self) -> dict[str, str]:
        with self._lock:
            if self._identity is None:
                answer = self.client("sts").get_caller_identity()
                self._identity = {"Account": answer["Account"], "Arn": answer["Arn"]}
            return self._identity

    def _made(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        with translated(service, "credentials", {}, self.endpoint):
            if self._session is None:
                read_fast()
                keys = _EMULATOR_KEYS if self.endpoint else {}
                self._session = boto3.session.Session(region_name=self.region, **keys)
            # Adaptive: backs off on throttling and slows the following calls down (botocore guide, "Retries").
            config = Config(
                retries={"mode": "adaptive", "max_attempts": 8} if self.endpoint is None else {"total_max_attempts": 2},
                connect_timeout=5,
                read_timeout=60,
            )
            return self._session.client(service, endpoint_url=self.endpoint, config=config)


class Client:
    """A boto3 client whose calls raise the errors of :mod:`seatrial.aws.errors`.

    ``client.describe_services(...)`` as in boto3; :meth:`pages` walks a paged answer.
    """

    def __init__(self, raw: Any, endpoint: str | None = None, patience: Patience | None = None) -> None:
        self._raw = raw
        self._endpoint = endpoint
        self._patience = patience or Patience(0.0, 0.0)

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        """Return the operation, translated."""
        method = getattr(self._raw, operation)
        names = self._names(operation)

        def once(parameters: dict[str, Any]) -> dict[str, Any]:
            with translated(*names, parameters, self._endpoint):
                answer: dict[str, Any] = method(**parameters)
            return answer

        return lambda **parameters: self._patience.kept(lambda: once(parameters))

    def pages(self, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        """Return the items under ``key`` of every page (botocore's paginator of the operation)."""

        def walk() -> Iterator[Any]:
            with translated(*self._names(operation), parameters, self._endpoint):
                for page in self._raw.get_paginator(operation).paginate(**parameters):
                    yield from page.get(key, ())

        # A paginator that raised has ended, so the walk begins anew: nothing may have been handed on before.
        return iter(self._patience.kept(lambda: list(walk()))) if self._patience.active else walk()

    @property
    def raw(self) -> Any:
        """boto3's own client, for its waiters and presigned URLs."""
        return self._raw

    def _names(self, operation: str) -> tuple[str, str]:
        meta = self._raw.meta
        return str(meta.service_model.signing_name), str(meta.method_to_api_mapping.get(operation, operation))


def emulator_endpoint(project_dir: Path) -> str:
    """Return the URL of the emulator that was started in ``project_dir``.

    Raises :class:`~seatrial.errors.UsageError` if none was.
    """
    name = os.environ.get("SEATRIAL_EMULATOR", "local")
    file = project_dir / ".seatrial" / "emulator" / name / "emulator.json"
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["endpoint"])
    except FileNotFoundError:
        raise UsageError(
            f"no emulator is running here (there is no {file})", hint="run `seatrial emulator start`"
        ) from None
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"{file} cannot be read: {error!r}", hint="run `seatrial emulator stop`, then `seatrial emulator start`"
        ) from error
