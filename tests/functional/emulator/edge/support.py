"""Distributions made by the API of an emulator, and what a viewer is answered."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.functional.emulator.support import eventually
from tests.unit.emulator.edge.support import behaviour, config, listed

if TYPE_CHECKING:
    from tests.functional.emulator.support import Running

SHORT = {"Name": "short", "MinTTL": 0, "DefaultTTL": 3600, "MaxTTL": 3600}


@dataclass(frozen=True)
class Answer:
    """What a viewer is answered; names of headers are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def found(self) -> str:
        """Where the edge found it: Hit, Miss, RefreshHit, Error."""
        return self.headers["x-cache"].split()[0]


def get(host: str, path: str = "/", method: str = "GET", *, authority: str = "", **headers: str) -> Answer:
    """Ask ``host``, by TLS where the file of the authority to trust is named."""
    connection = (
        http.client.HTTPSConnection(host, timeout=10, context=ssl.create_default_context(cafile=authority))
        if authority
        else http.client.HTTPConnection(host, timeout=10)
    )
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    answer = Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    connection.close()
    return answer


class Bench:
    """One bucket with one distribution that alone may read what is below ``/live``."""

    def __init__(self, running: Running, bucket: str, **changes: Any) -> None:
        self.s3 = running.client("s3")
        self.cloudfront = running.client("cloudfront", "us-east-1")
        self.bucket = bucket
        self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": running.info.region})
        control = self.cloudfront.create_origin_access_control(
            OriginAccessControlConfig={
                "Name": bucket,
                "OriginAccessControlOriginType": "s3",
                "SigningBehavior": "always",
                "SigningProtocol": "sigv4",
            }
        )["OriginAccessControl"]["Id"]
        origin = {
            "Id": "bucket",
            "DomainName": f"{bucket}.s3.{running.info.region}.amazonaws.com",
            "OriginPath": "/live",
            "OriginAccessControlId": control,
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        }
        behaviours = behaviour(Compress=True)
        self.config = config(CallerReference=bucket, Origins=listed(origin), DefaultCacheBehavior=behaviours, **changes)
        made = self.cloudfront.create_distribution(DistributionConfig=self.config)["Distribution"]
        self.id, self.arn, self.host = made["Id"], made["ARN"], made["DomainName"]
        self.allow(self.arn)

    def allow(self, arn: str, *actions: str) -> None:
        """Let a distribution, and no other, read what is live."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": ["s3:GetObject", *actions],
            "Resource": [f"arn:aws:s3:::{self.bucket}/live/*", f"arn:aws:s3:::{self.bucket}"],
            "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
        }
        tls = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": f"arn:aws:s3:::{self.bucket}/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        document = {"Version": "2012-10-17", "Statement": [tls, statement]}
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(document))

    def deployed(self) -> None:
        """Wait until the distribution is."""
        eventually(lambda: self.cloudfront.get_distribution(Id=self.id)["Distribution"]["Status"] == "Deployed")

    def put(self, path: str, body: str, **more: Any) -> None:
        """Put a file live."""
        self.s3.put_object(Bucket=self.bucket, Key=f"live{path}", Body=body.encode(), **more)

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask for a path over HTTP."""
        return get(self.host, path, method, **headers)

    def invalidate(self, *paths: str) -> str:
        """Begin an invalidation and return its id."""
        batch = {"Paths": listed(*paths), "CallerReference": " ".join(paths)}
        made = self.cloudfront.create_invalidation(DistributionId=self.id, InvalidationBatch=batch)["Invalidation"]
        return str(made["Id"])

    def completed(self, invalidation: str) -> bool:
        """Whether an invalidation is."""
        shown = self.cloudfront.get_invalidation(DistributionId=self.id, Id=invalidation)["Invalidation"]
        return bool(shown["Status"] == "Completed")
