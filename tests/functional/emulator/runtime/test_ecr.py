"""ECR's API and the registry behind it agree, asked by boto3 and pushed to over the wire."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from seatrial.emulator.clock import SystemClock
from seatrial.emulator.runtime.ecr import EcrBridge
from seatrial.emulator.runtime.registry import Registry
from seatrial.errors import ReleaseFailed
from seatrial.images.layout import MANIFEST, Blob, Layout
from seatrial.images.registry import Credentials, push
from tests.functional.emulator.runtime.support import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "registry")
    registry.start()
    yield registry
    registry.stop()


@pytest.fixture
def ecr(tmp_path: Path, registry: Registry) -> Iterator[Any]:
    from moto.ecr.models import ecr_backends

    bridge = EcrBridge(settings(tmp_path / "state"), registry, SystemClock())
    bridge.install()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "ecr",
        region_name="eu-west-1",
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}),
    )
    yield client
    client.close()
    server.stop()
    ecr_backends["123456789012"]["eu-west-1"].reset()


def image(text: str = "layer") -> Layout:
    config = Blob("application/vnd.oci.image.config.v1+json", b'{"os": "linux"}')
    return Layout(config, (Blob("application/vnd.oci.image.layer.v1.tar", text.encode()),))


def login(ecr: Any) -> Credentials:
    entry = ecr.get_authorization_token()["authorizationData"][0]
    user, password = base64.b64decode(entry["authorizationToken"]).decode().split(":")
    return Credentials(user, password)


def test_a_push_with_the_token_of_ecr_is_described_by_ecr(ecr: Any, registry: Registry) -> None:
    uri = ecr.create_repository(repositoryName="app")["repository"]["repositoryUri"]
    assert uri == f"{registry.host}/app"
    assert ecr.describe_repositories()["repositories"][0]["repositoryUri"] == uri
    token = ecr.get_authorization_token()["authorizationData"][0]
    assert token["proxyEndpoint"] == f"http://{registry.host}"
    said: list[str] = []
    digest = push(image(), uri, "v1", login(ecr), said.append)
    assert len(said) == 2
    detail = ecr.describe_images(repositoryName="app", imageIds=[{"imageTag": "v1"}])["imageDetails"][0]
    assert (detail["imageDigest"], detail["imageTags"], detail["imageSizeInBytes"]) == (digest, ["v1"], 5)
    got = ecr.batch_get_image(repositoryName="app", imageIds=[{"imageDigest": digest}])["images"][0]
    assert got["imageManifest"].encode() == image().manifest.content
    assert ecr.list_images(repositoryName="app")["imageIds"] == [{"imageDigest": digest, "imageTag": "v1"}]


def test_a_second_push_sends_nothing(ecr: Any) -> None:
    uri = ecr.create_repository(repositoryName="app")["repository"]["repositoryUri"]
    said: list[str] = []
    first = push(image(), uri, "v1", login(ecr), said.append)
    said.clear()
    assert push(image(), uri, "v1", login(ecr), said.append) == first
    assert push(image(), uri, "v2", login(ecr), said.append) == first
    assert said == []
    assert ecr.describe_images(repositoryName="app")["imageDetails"][0]["imageTags"] == ["v1", "v2"]


def test_a_repository_nobody_created_is_unknown(ecr: Any, registry: Registry) -> None:
    with pytest.raises(ReleaseFailed, match="NAME_UNKNOWN: The repository with name 'absent' does not exist") as caught:
        push(image(), f"{registry.host}/absent", "v1", login(ecr), print)
    assert caught.value.hint is not None


def test_a_wrong_password_is_refused(ecr: Any) -> None:
    uri = ecr.create_repository(repositoryName="app")["repository"]["repositoryUri"]
    with pytest.raises(ReleaseFailed, match="HTTP status 401"):
        push(image(), uri, "v1", Credentials("AWS", "wrong"), print)


def test_an_immutable_tag_stays_and_the_image_is_pushed_without(ecr: Any) -> None:
    uri = ecr.create_repository(repositoryName="app", imageTagMutability="IMMUTABLE")["repository"]["repositoryUri"]
    first = push(image("one"), uri, "v1", login(ecr), print)
    second = push(image("two"), uri, "v1", login(ecr), print)
    assert first != second
    details = ecr.describe_images(repositoryName="app")["imageDetails"]
    assert {detail["imageDigest"]: detail.get("imageTags") for detail in details} == {first: ["v1"], second: None}


def test_an_image_that_loses_its_tag_stays(ecr: Any, registry: Registry) -> None:
    uri = ecr.create_repository(repositoryName="app")["repository"]["repositoryUri"]
    first = push(image("one"), uri, "live", login(ecr), print)
    push(image("two"), uri, "live", login(ecr), print)
    details = ecr.describe_images(repositoryName="app", filter={"tagStatus": "UNTAGGED"})["imageDetails"]
    assert [detail["imageDigest"] for detail in details] == [first]
    assert registry.store.manifest("app", first) is not None


def test_put_image_retags(ecr: Any, registry: Registry) -> None:
    uri = ecr.create_repository(repositoryName="app")["repository"]["repositoryUri"]
    digest = push(image(), uri, "v1", login(ecr), print)
    manifest = image().manifest.content.decode()
    put = ecr.put_image(repositoryName="app", imageManifest=manifest, imageTag="stable")["image"]
    assert put["imageId"] == {"imageDigest": digest, "imageTag": "stable"}
    assert registry.store.tags("app") == {"stable": digest, "v1": digest}
    with pytest.raises(ClientError) as caught:
        ecr.put_image(repositoryName="app", imageManifest=manifest, imageTag="stable")
    assert caught.value.response["Error"]["Code"] == "ImageAlreadyExistsException"
    unknown = json.dumps({"mediaType": MANIFEST, "layers": [{"digest": "sha256:" + "0" * 64, "size": 1}]})
    with pytest.raises(ClientError) as caught:
        ecr.put_image(repositoryName="app", imageManifest=unknown, imageTag="x")
    assert caught.value.response["Error"]["Code"] == "LayersNotFoundException"


def test_what_ecr_deletes_the_registry_forgets(ecr: Any, registry: Registry) -> None:
    uri = ecr.create_repository(repositoryName="app")["repository"]["repositoryUri"]
    first = push(image("one"), uri, "v1", login(ecr), print)
    second = push(image("two"), uri, "v2", login(ecr), print)
    ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageDigest": first}])
    assert registry.store.manifest("app", first) is None
    assert registry.store.tags("app") == {"v2": second}
    with pytest.raises(ClientError) as caught:
        ecr.delete_repository(repositoryName="app")
    assert caught.value.response["Error"]["Code"] == "RepositoryNotEmptyException"
    ecr.delete_repository(repositoryName="app", force=True)
    ecr.create_repository(repositoryName="app")
    assert ecr.list_images(repositoryName="app")["imageIds"] == []


def test_images_kept_on_disk_are_in_a_repository_made_anew(ecr: Any, registry: Registry) -> None:
    layout = image()
    for blob in (layout.config, *layout.layers):
        upload = registry.store.uploads / "x"
        upload.write_bytes(blob.content)
        registry.store.adopt_blob(upload, blob.digest)
    kept = registry.store.put_manifest("app", layout.manifest.content, MANIFEST, "v1")
    ecr.create_repository(repositoryName="app")
    assert ecr.list_images(repositoryName="app")["imageIds"] == [{"imageDigest": kept.digest, "imageTag": "v1"}]
