"""A browser's form and the policy that was signed for it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from seatrial.emulator.data.forms import refusal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONDITIONS = [
    {"bucket": "media"},
    {"key": "incoming/1"},
    ["eq", "$Content-Type", "image/png"],
    ["starts-with", "$x-amz-meta-by", "ali"],
    ["content-length-range", 10, 20],
]
FIELDS = {"key": "incoming/1", "content-type": "image/png", "x-amz-meta-by": "alice", "x-amz-signature": "abc"}


def asked(policy: Any, size: int = 15, bucket: str = "media", **changes: str) -> tuple[int, str, str] | None:
    text = policy if isinstance(policy, str) else base64.b64encode(json.dumps(policy).encode()).decode()
    fields = FIELDS | {name.replace("_", "-"): value for name, value in changes.items()} | {"policy": text}
    found = refusal(fields, bucket, size, NOW)
    return None if found is None else (found.status, found.code, found.message)


def policy(conditions: Any = CONDITIONS, expiration: str = "2026-03-01T12:00:01Z") -> dict[str, Any]:
    return {"expiration": expiration, "conditions": conditions}


@pytest.mark.parametrize("size", [10, 20])
def test_a_form_as_its_policy_says(size: int) -> None:
    assert asked(policy(), size, x_ignore_me="anything") is None


@pytest.mark.parametrize(
    ("refused", "status", "code", "message"),
    [
        (asked(policy(), 21), 400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"),
        (asked(policy(), 9), 400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"),
        (asked(policy(expiration="2026-03-01T12:00:00Z")), 403, "AccessDenied", "Policy expired."),
        (asked(policy(), key="files/1"), 403, "AccessDenied", 'Condition failed: ["eq", "$key", "incoming/1"]'),
        (asked(policy(), content_type="text/html"), 403, "AccessDenied", '["eq", "$content-type", "image/png"]'),
        (asked(policy(), x_amz_meta_by="bob"), 403, "AccessDenied", '["starts-with", "$x-amz-meta-by", "ali"]'),
        (asked(policy(), bucket="other"), 403, "AccessDenied", '["eq", "$bucket", "media"]'),
        (asked(policy(), acl="public-read"), 403, "AccessDenied", "Extra input fields: acl"),
        (asked("no base64"), 400, "InvalidPolicyDocument", "Invalid Policy"),
        (asked(policy([["about", "$key", "x"]])), 400, "InvalidPolicyDocument", "Invalid Policy"),
        (asked({"conditions": []}), 400, "InvalidPolicyDocument", "Invalid Policy"),
    ],
)
def test_a_form_that_is_not(refused: tuple[int, str, str] | None, status: int, code: str, message: str) -> None:
    assert refused is not None
    assert refused[:2] == (status, code)
    assert message in refused[2]
