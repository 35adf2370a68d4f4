"""S3: a private bucket for what deployments need, and objects put into it, copied and listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.aws.errors import AwsError, NotFound
from seatrial.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.aws.session import Aws

#: The region whose name CreateBucket does not take as a location constraint (S3 API reference, CreateBucket).
_UNCONSTRAINED = "us-east-1"


@dataclass(frozen=True)
class Listed:
    """An object as a listing has it.

    ``etag`` is the MD5 of the content, and a copy has the same, where S3 itself encrypts and the object came in one
    part (S3 user guide, "Checking object integrity").
    """

    key: str
    etag: str
    size: int
    modified: datetime


class S3:
    """The calls on buckets of one account."""

    def __init__(self, aws: Aws) -> None:
        self._client = aws.client("s3")
        self._region = aws.region
        self._aws = aws

    def ensure_private_bucket(self, bucket: str) -> bool:
        """Create the bucket if there is none: encrypted, closed to the public. Return whether it was made now.

        Raises :class:`~seatrial.errors.UsageError` if the name belongs to another account.
        """
        if self._exists(bucket):
            return False
        place: dict[str, Any] = {}
        if self._region != _UNCONSTRAINED:
            place["CreateBucketConfiguration"] = {"LocationConstraint": self._region}
        self._client.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced", **place)
        self._client.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
        self._client.put_bucket_encryption(
            Bucket=bucket,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        )
        return True

    def put(self, bucket: str, key: str, body: bytes, *, content_type: str, cache_control: str | None = None) -> None:
        """Write one object."""
        cached = {"CacheControl": cache_control} if cache_control else {}
        self._client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, **cached)

    def copy(
        self, source: tuple[str, str], bucket: str, key: str, *, content_type: str, cache_control: str | None = None
    ) -> None:
        """Copy an object (bucket and key) inside S3, with headers of its own."""
        cached = {"CacheControl": cache_control} if cache_control else {}
        self._client.copy_object(
            CopySource="/".join(source),  # botocore quotes it
            Bucket=bucket,
            Key=key,
            ContentType=content_type,
            MetadataDirective="REPLACE",
            **cached,
        )

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object; one that is gone already is as good."""
        self._client.delete_object(Bucket=bucket, Key=key)

    def get(self, bucket: str, key: str) -> bytes:
        """Return an object's content. Raises :class:`~seatrial.aws.errors.NotFound` if there is none."""
        body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Return the keys that begin so, in order; none where there is no bucket."""
        try:
            found = self._client.pages("list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
            return [str(each["Key"]) for each in found]
        except NotFound:
            return []

    def objects(self, bucket: str, prefix: str) -> list[Listed]:
        """Return the objects whose keys begin so, in order of the keys."""
        return [
            Listed(str(each["Key"]), str(each["ETag"]).strip('"'), int(each["Size"]), each["LastModified"])
            for each in self._client.pages("list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
        ]

    def url(self, bucket: str, key: str) -> str:
        """Return the object's address in the form that CloudFormation takes as a TemplateURL."""
        suffix = "amazonaws.com.cn" if self._aws.partition == "aws-cn" else "amazonaws.com"
        return f"https://{bucket}.s3.{self._region}.{suffix}/{key}"

    def _exists(self, bucket: str) -> bool:
        try:
            self._client.head_bucket(Bucket=bucket)
        except AwsError as error:
            # HeadBucket has no body: its error code is the bare HTTP status.
            if error.code in ("404", "NoSuchBucket", "NotFound"):
                return False
            if error.code == "403":
                raise UsageError(
                    f"the bucket {bucket} exists and is not yours to use",
                    hint="allow s3:ListBucket on it; if it is another account's, choose another app.name",
                ) from error
            raise
        return True
