"""The one place that talks to S3. Its address and credentials are where boto3 looks for them, as on ECS.

With ``AWS_ENDPOINT_URL`` it is another S3: the emulator's, or the one that ``python -m local`` starts.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from attachments.kinds import SEEN

#: Seconds in which an upload must begin, and for which an address of a file is good.
UPLOAD_SECONDS, LINK_SECONDS = 600, 300
_CHUNK = 2**18


class BucketError(Exception):
    """S3 did not answer as it should; the message is for the log."""


class Missing(BucketError):
    """There is no such object, or no longer the one that was looked at."""


@dataclass(frozen=True)
class Form:
    """Where and with which fields a browser posts a file; the file comes last, as ``file``."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Looked:
    """What an object is: its size, S3's mark of it, its digest, its first and its last bytes."""

    size: int
    etag: str
    sha256: str
    head: bytes
    tail: bytes


@dataclass(frozen=True)
class Stored:
    """An object in a listing."""

    key: str
    changed: datetime


def upload_form(key: str, mime: str, size: int) -> Form:
    """Return a form that puts one file under one key: of this type, and of exactly this size."""
    signed = client().generate_presigned_post(
        settings.MEDIA_BUCKET,
        key,
        Fields={"Content-Type": mime, "success_action_status": "201"},
        Conditions=[
            {"Content-Type": mime},
            {"success_action_status": "201"},
            ["content-length-range", size, size],
        ],
        ExpiresIn=UPLOAD_SECONDS,
    )
    return Form(signed["url"], signed["fields"])


def link(key: str, mime: str, name: str = "") -> str:
    """Return an address that is good for a few minutes; with a name, browsers keep what it leads to as a file."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}" if name else "inline"
    wanted = {"Bucket": settings.MEDIA_BUCKET, "Key": key}
    wanted |= {"ResponseContentType": mime, "ResponseContentDisposition": disposition}
    return str(client().generate_presigned_url("get_object", Params=wanted, ExpiresIn=LINK_SECONDS))


def look(key: str, largest: int) -> Looked:
    """Read an object from end to end, and keep its ends. Raises :class:`Missing`, also for one that is too large."""
    with _told():
        found = client().get_object(Bucket=settings.MEDIA_BUCKET, Key=key)
        if found["ContentLength"] > largest:
            raise Missing(f"{key} has {found['ContentLength']} bytes")
        digest, head, tail = hashlib.sha256(), b"", b""
        for chunk in found["Body"].iter_chunks(_CHUNK):
            digest.update(chunk)
            head = (head + chunk)[:SEEN] if len(head) < SEEN else head
            tail = (tail + chunk)[-SEEN:]
        return Looked(found["ContentLength"], found["ETag"], digest.hexdigest(), head, tail)


def read(key: str, etag: str) -> bytes:
    """Return an object that is still the one that was looked at. Raises :class:`Missing`."""
    with _told():
        return bytes(client().get_object(Bucket=settings.MEDIA_BUCKET, Key=key, IfMatch=etag)["Body"].read())


def write(key: str, content: bytes, mime: str) -> None:
    """Put an object."""
    with _told():
        client().put_object(Bucket=settings.MEDIA_BUCKET, Key=key, Body=content, ContentType=mime)


def copy(source: str, etag: str, target: str, mime: str) -> None:
    """Put an object that is still the one that was looked at under another key. Raises :class:`Missing`."""
    with _told():
        client().copy_object(
            Bucket=settings.MEDIA_BUCKET,
            Key=target,
            CopySource={"Bucket": settings.MEDIA_BUCKET, "Key": source},
            CopySourceIfMatch=etag,
            ContentType=mime,
            MetadataDirective="REPLACE",
            TaggingDirective="REPLACE",
        )


def remove(keys: Iterable[str]) -> None:
    """Delete objects; those that are not there are none the less gone."""
    wanted = [{"Key": key} for key in keys]
    with _told():
        for start in range(0, len(wanted), 1000):
            batch = {"Objects": wanted[start : start + 1000], "Quiet": True}
            failed = client().delete_objects(Bucket=settings.MEDIA_BUCKET, Delete=batch).get("Errors")
            if failed:
                raise BucketError(f"{failed[0]['Key']}: {failed[0]['Code']}")


def stored() -> Iterator[Stored]:
    """Yield every object."""
    with _told():
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=settings.MEDIA_BUCKET):
            yield from (Stored(each["Key"], each["LastModified"]) for each in page.get("Contents", ()))


def origin() -> str:
    """Return the origin at which browsers meet the bucket, for the content security policy; "" where there is none."""
    if not settings.MEDIA_BUCKET:
        return ""
    if elsewhere := _elsewhere():
        address = urlsplit(elsewhere)
        return f"{address.scheme}://{address.netloc}"
    return f"https://{settings.MEDIA_BUCKET}.s3.{os.environ.get('AWS_REGION', 'us-east-1')}.amazonaws.com"


def _elsewhere() -> str:
    """Return the address of an S3 that is not Amazon's."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")


@cache
def client() -> Any:
    """Return boto3's client, which threads share. Imported late: it is slow, and most processes never need it."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        signature_version="s3v4",
        # By the bucket's own name and region: S3 redirects other addresses of a young bucket, and an upload with it.
        s3={"addressing_style": "path" if _elsewhere() else "virtual"},
        connect_timeout=2,
        read_timeout=10,
        retries={"mode": "standard", "max_attempts": 3},
    )
    return boto3.client("s3", region_name=os.environ.get("AWS_REGION"), config=config)


@contextmanager
def _told() -> Iterator[None]:
    """Raise what goes wrong as what callers know."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        gone = code in ("NoSuchKey", "404", "412", "PreconditionFailed")
        raise (Missing if gone else BucketError)(f"{error.operation_name}: {code}") from error
    except BotoCoreError as error:
        raise BucketError(f"{error}") from error
