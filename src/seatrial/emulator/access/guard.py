"""Who asks, and whether that is allowed.

A key that IAM has given to a user, or STS to a role, is held to the policies of that user or role: inline, attached and
the groups'. Signatures are not verified. Of the policies of resources only buckets' are looked at, elsewhere. Any other
key may do everything, as the emulator's own does.

Used of moto: ``create_access_key``, ``CreateAccessKeyFailure``, ``collect_policies`` and ``IAMPolicy`` of its access
control, which itself looks at no resource of most services, and the keys of buckets.
"""

from __future__ import annotations

import json
import re
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from seatrial.emulator.access.cloudfront import of_cloudfront
from seatrial.emulator.access.decision import Need, allowed
from seatrial.emulator.access.needs import Place, needs, of_s3
from seatrial.emulator.access.schedules import of_scheduler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed.wsgi import WSGIEnvironment

_KEY = re.compile(r"Credential=([^/]+)/")


#: The access key of the user who asks, while the answer is made; empty for a key that may do everything.
asking: ContextVar[str] = ContextVar("asking", default="")


@dataclass(frozen=True)
class Principal:
    """A user or an assumed role, with the policy documents that hold for it."""

    arn: str
    documents: tuple[Mapping[str, Any], ...]

    def refusal(self, wanted: list[Need]) -> str | None:
        """Return AWS's sentence for the first of the needs that is not met, None when all are."""
        for need in wanted:
            if not allowed(self.documents, need):
                on = f" on resource: {need.resource}" if need.resource not in (None, "*") else ""
                return (
                    f"User: {self.arn} is not authorized to perform: {need.action}{on} because no identity-based "
                    f"policy allows the {need.action} action"
                )
        return None


class Guard:
    """Asked before each call."""

    def __init__(self, account: str, region: str) -> None:
        self._place = Place(account, region)

    def refusal(self, environ: WSGIEnvironment, service: str) -> str | None:
        """Return why the call is denied, None when it is allowed. ``service`` is the one that it is signed for."""
        asking.set("")
        found = _KEY.search(environ.get("HTTP_AUTHORIZATION", ""))
        principal = found and principal_of(self._place, found[1], environ.get("HTTP_X_AMZ_SECURITY_TOKEN"))
        if not found or not principal:
            return None
        asking.set(found[1])
        wanted = self._wanted(environ, service)
        if wanted is None:
            return (
                f"User: {principal.arn} makes a call of {service} whose action the emulator cannot name: "
                f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}"
            )
        return principal.refusal(wanted)

    def _wanted(self, environ: WSGIEnvironment, service: str) -> list[Need] | None:
        if service == "s3":
            return self._wanted_of_s3(environ)
        if service == "cloudfront":
            flags = {key: values[0] for key, values in _query(environ).items()}
            return of_cloudfront(str(environ["REQUEST_METHOD"]), str(environ.get("PATH_INFO", "")), flags, self._place)
        if service == "scheduler":
            method, path = str(environ["REQUEST_METHOD"]), unquote(str(environ.get("PATH_INFO", "")))
            flags = {key: values[0] for key, values in _query(environ).items()}
            return of_scheduler(method, path, flags, _body(environ), self._place)
        operation, parameters = _call(environ)
        if operation is None:
            return None
        if (service, operation) == ("sts", "GetCallerIdentity"):
            return []  # always allowed (STS API reference)
        return needs(service, operation, parameters, self._place)

    def _wanted_of_s3(self, environ: WSGIEnvironment) -> list[Need] | None:
        """Return what a request to S3 needs: to list the bucket too, where it would learn that an object is missing."""
        method = str(environ["REQUEST_METHOD"])
        path = unquote(str(environ.get("RAW_URI") or environ.get("PATH_INFO", "")).partition("?")[0])
        flags = {key: values[0] for key, values in _query(environ).items()}
        found = of_s3(method, path, flags, environ, _body(environ) if "delete" in flags else b"")
        bucket, _, key = path.lstrip("/").partition("/")
        if found and key and method in ("GET", "HEAD") and self._is_missing(bucket, key):
            found.append(Need("s3:ListBucket", f"arn:{self._place.partition}:s3:::{bucket}"))
        return found

    def _is_missing(self, bucket: str, key: str) -> bool:
        from moto.s3.models import s3_backends

        kept = s3_backends[self._place.account][self._place.partition].buckets.get(bucket)
        return kept is not None and kept.keys.get(key) is None


def principal_of(place: Place, key: str, token: str | None) -> Principal | None:
    """Return whose access key it is, None for one that IAM does not know.

    As long as nobody has spoken to IAM there is no user, and its module, half a second's import, is left alone.
    """
    if "moto.iam.responses" not in sys.modules:
        return None
    from moto.iam.access_control import CreateAccessKeyFailure, IAMPolicy, create_access_key

    headers = {"X-Amz-Security-Token": token} if token else {}
    try:
        known = create_access_key(place.account, place.partition, key, headers)
    except CreateAccessKeyFailure:
        return None
    documents = tuple(IAMPolicy(each)._policy_json for each in known.collect_policies())  # noqa: SLF001 - no public way
    return Principal(known.arn, documents)


def _call(environ: WSGIEnvironment) -> tuple[str | None, Mapping[str, Any]]:
    """Return operation and parameters of a call in the JSON or the query protocol."""
    body = _body(environ)
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2], json.loads(body or b"{}")
    fields = {key: values[0] for key, values in (parse_qs(body.decode(errors="replace")) | _query(environ)).items()}
    return fields.get("Action"), fields


def _body(environ: WSGIEnvironment) -> bytes:
    """Return the body, which can be read again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = BytesIO(body)
    return body


def _query(environ: WSGIEnvironment) -> dict[str, list[str]]:
    return parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
