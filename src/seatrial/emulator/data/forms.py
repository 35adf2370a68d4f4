"""Uploads by a browser's form (S3's POST Object), held to the policy that was signed with it, which moto does not read.

Rules and messages: S3 API reference, "POST policy" and "Creating a POST policy". A form without a policy is that of a
stranger, and the bucket's policy decides. Signatures are not verified, here as elsewhere.

Patched on moto: ``S3Response._bucket_response_post``. Used of it: ``form_data``, ``body``, ``path``, ``_get_path``,
``is_delete_keys``, ``S3Backend.get_bucket`` and ``FakeBucket.get_permission``.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Fields that need no condition, beside those that begin with ``x-ignore-``.
_FREE = ("policy", "x-amz-signature", "file", "signature", "awsaccesskeyid")
_INVALID = "Invalid according to Policy:"


@dataclass(frozen=True)
class Refusal:
    """S3's answer to a form that is not as its policy says."""

    status: int
    code: str
    message: str

    def xml(self) -> str:
        """Return the body of the answer."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
        )


def install() -> None:
    """Take over."""
    from moto.s3.responses import S3Response

    own = S3Response._bucket_response_post  # noqa: SLF001 - where moto answers it

    def post(response: Any, request: Any, bucket_name: str) -> Any:
        response.path = response._get_path(request)  # noqa: SLF001 - as moto does first
        if response.is_delete_keys():
            return own(response, request, bucket_name)
        fields = {name.lower(): str(value) for name, value in response.form_data.items()}
        if "policy" in fields:
            refused = refusal(fields, bucket_name, len(response.body), datetime.now(UTC))
        else:
            refused = None if _open_to_all(response, bucket_name, fields.get("key", "")) else Refusal(*_DENIED)
        return own(response, request, bucket_name) if refused is None else (refused.status, {}, refused.xml())

    S3Response._bucket_response_post = post  # noqa: SLF001


def refusal(fields: Mapping[str, str], bucket: str, size: int, now: datetime) -> Refusal | None:
    """Return why a form is refused, None where all is as its policy says. Names of ``fields`` are in lower case."""
    try:
        policy = json.loads(base64.b64decode(fields["policy"], validate=True))
        expires = datetime.fromisoformat(policy["expiration"])
        conditions = [_condition(each) for each in policy["conditions"]]
    except (ValueError, KeyError, TypeError):
        return Refusal(400, "InvalidPolicyDocument", "Invalid Policy: Invalid JSON.")
    if expires <= now:
        return _against("Policy expired.")
    values = {**fields, "bucket": bucket}
    named = set()
    for kind, name, wanted in conditions:
        if kind == "content-length-range":
            least, most = int(name), int(wanted)
            if size > most:
                return Refusal(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
            if size < least:
                return Refusal(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
            continue
        named.add(name)
        value = values.get(name, "")
        if value != wanted if kind == "eq" else not value.startswith(wanted):
            return _against(f"Policy Condition failed: {json.dumps([kind, f'${name}', wanted])}")
    extra = sorted(each for each in fields if each not in (*named, *_FREE) and not each.startswith("x-ignore-"))
    return _against(f"Extra input fields: {', '.join(extra)}") if extra else None


_DENIED = (403, "AccessDenied", "Access Denied")


def _against(reason: str) -> Refusal:
    return Refusal(403, "AccessDenied", f"{_INVALID} {reason}")


def _condition(given: Any) -> tuple[str, str, str]:
    """Return a condition as its kind, the field in lower case and the value, or as the range's ends."""
    if isinstance(given, dict):
        ((name, value),) = given.items()
        return "eq", name.lower(), str(value)
    kind, name, value = given
    if kind.lower() == "content-length-range":
        return "content-length-range", str(int(name)), str(int(value))
    if kind.lower() not in ("eq", "starts-with") or not name.startswith("$"):
        raise ValueError(kind)
    return kind.lower(), name[1:].lower(), str(value)


def _open_to_all(response: Any, bucket_name: str, key: str) -> bool:
    from moto.iam.access_control import PermissionResult

    bucket = response.backend.get_bucket(bucket_name)
    return bool(
        bucket.get_permission("s3:PutObject", f"arn:aws:s3:::{bucket_name}/{key}") == PermissionResult.PERMITTED
    )
