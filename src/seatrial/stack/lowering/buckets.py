"""What every bucket has in common: it is private, encrypted, and spoken to over TLS only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.stack.graph import GetAtt, Noted, Ref, Resource, Sub

if TYPE_CHECKING:
    from seatrial.stack.graph import Value

#: The rule that clears away what an upload that broke off has left.
UNFINISHED_UPLOADS: Value = {
    "Id": "unfinished-uploads",
    "Status": "Enabled",
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


def private_bucket() -> dict[str, Value]:
    """Return the properties of a bucket that nobody reads without this account's leave."""
    return {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "OwnershipControls": {
            "Rules": [{"ObjectOwnership": Noted("BucketOwnerEnforced", "Turns access lists of objects off")}]
        },
    }


def bucket_policy(bucket: str, *statements: Value) -> Resource:
    """Return the policy that refuses requests without TLS and says ``statements``.

    ``bucket`` is the bucket's logical name.
    """
    tls_only: Value = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [GetAtt(bucket, "Arn"), Sub(f"${{{bucket}.Arn}}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document: Value = {"Version": "2012-10-17", "Statement": [tls_only, *statements]}
    return Resource("AWS::S3::BucketPolicy", {"Bucket": Ref(bucket), "PolicyDocument": document})
