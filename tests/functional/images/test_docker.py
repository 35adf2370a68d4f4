"""Building a Dockerfile with a container engine and pushing what comes out, for real."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import docker
import pytest

from seatrial.emulator.runtime.registry import Registry
from seatrial.errors import ReleaseFailed, UsageError
from seatrial.images.docker import DockerImage, build_image
from seatrial.images.source import File, Source
from tests.functional.emulator.runtime.engine import base_image, engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with engine() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", url)
        api = docker.APIClient(url, timeout=300)
        yield base_image(api)
        api.close()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "registry")
    registry.start()
    yield registry
    registry.stop()


def source(dockerfile: str, **files: str) -> Source:
    contents = {name: File(text.encode()) for name, text in files.items()}
    return Source("v1", {"Dockerfile": File(dockerfile.encode())} | contents)


def test_a_multi_stage_build_with_arguments(base: str, registry: Registry) -> None:
    text = """
        ARG BASE
        FROM $BASE AS build
        ARG WORD
        RUN mkdir /made && echo $WORD > /made/word
        FROM $BASE
        COPY --from=build /made /made
        RUN cat /made/word
        ENV A=1
    """
    said: list[str] = []
    word = uuid.uuid4().hex  # so that no step comes from the engine's cache
    built = build_image(source(text), "Dockerfile", "images", {"BASE": base, "WORD": word}, said.append)
    assert word in said
    assert built.digest is None
    digest = built.push(f"{registry.host}/app", "AWS", registry.password)
    manifest = registry.store.manifest("app", "v1")
    assert manifest is not None
    assert manifest.digest == digest
    blob = registry.store.blob(manifest.parsed()["config"]["digest"])
    assert blob is not None
    assert "A=1" in json.loads(blob.read_bytes())["config"]["Env"]
    assert built.push(f"{registry.host}/app", "AWS", registry.password) == digest


def test_the_failing_step_is_named_with_its_output(base: str) -> None:
    text = 'ARG BASE\nFROM $BASE\nENV A=1\nRUN echo before; python3 -c "import absent"\n'
    with pytest.raises(ReleaseFailed) as caught:
        build_image(source(text), "Dockerfile", "images", {"BASE": base}, lambda _: None)
    assert 'RUN echo before; python3 -c "import absent"' in caught.value.message
    assert "ModuleNotFoundError: No module named 'absent'" in "\n".join(caught.value.details)


def test_a_refused_push_is_told(base: str, registry: Registry) -> None:
    built = build_image(source("ARG BASE\nFROM $BASE\n"), "Dockerfile", "images", {"BASE": base}, lambda _: None)
    with pytest.raises(ReleaseFailed, match="401"):
        built.push(f"{registry.host}/app", "AWS", "wrong")


def test_no_engine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(UsageError, match="no Docker engine answers") as caught:
        build_image(source("FROM x"), "Dockerfile", "images", {}, lambda _: None)
    assert caught.value.hint is not None


def test_what_is_known_of_the_image(registry: Registry) -> None:
    image: Any = DockerImage("v1", "seatrial/x:v1")
    assert (image.version, image.digest, image.notes) == ("v1", None, ())
