"""Where nested templates lie while CloudFormation reads them: a bucket of the app's own, objects named by content."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from seatrial.aws.s3 import S3
from seatrial.iac.cloudformation import text
from seatrial.stack import names

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.aws.session import Aws
    from seatrial.config.models import Settings
    from seatrial.stack.graph import Bundle


def artifacts_bucket(settings: Settings, aws: Aws) -> str:
    """Return the bucket's name in the caller's account and region."""
    return names.artifacts_bucket(settings, aws.account(), aws.region)


def upload(bundle: Bundle, settings: Settings, aws: Aws, progress: Callable[[str], None]) -> str:
    """Upload a bundle's nested templates, and return its root template, which names them by URL.

    A template that did not change keeps its URL, so a stack update sees no difference where there is none.
    """
    storage, bucket = S3(aws), artifacts_bucket(settings, aws)
    if storage.ensure_private_bucket(bucket):
        progress(f"created the bucket {bucket} for templates")
    urls: dict[str, str] = {}
    for template in bundle.nested:
        body = text(template, urls.__getitem__).encode()
        key = f"templates/{hashlib.sha256(body).hexdigest()}.yaml"
        storage.put(bucket, key, body, content_type="application/yaml")
        urls[template.name] = storage.url(bucket, key)
    return text(bundle.root, urls.__getitem__)
