"""Source bundles: their bytes, their layout, their labels."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.config.models import Image
from seatrial.emulator.runtime import unpacked
from seatrial.errors import UsageError
from seatrial.images import bundle
from seatrial.images.source import File, Source, tar

DOCKERFILE = 'FROM python:3.11\nENV A=1\nWORKDIR /app\nCOPY . .\nCMD ["run"]\n'
FILES = {
    "Dockerfile": File(DOCKERFILE.encode()),
    "requirements.txt": File(b"django==5.2\n"),
    "manage.py": File(b"#!/usr/bin/env python\n", executable=True),
    "pkg/mod.py": File(b"x = 1\n"),
    "link": File(link="pkg/mod.py"),
}


def made(files: dict[str, File], **image: Any) -> bundle.Bundle:
    return bundle.make(Source("v1", files), Image(**image), "Dockerfile")


def config(one: bundle.Bundle) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(one.layout.config.content)["config"]
    return said


def names(one: bundle.Bundle) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(one.layout.layers[0].content)) as archive:
        return [member.name for member in archive if not member.isdir()]


def with_dockerfile(text: str) -> dict[str, File]:
    return FILES | {"Dockerfile": File(text.encode())}


def test_the_image_says_how_it_is_run() -> None:
    one = made(FILES, prepare=(("python", "manage.py", "collectstatic"),))
    said = config(one)
    labels = said.pop("Labels")
    assert said == {"Env": ["A=1"], "Cmd": ["run"], "WorkingDir": "/app"}
    assert labels["seatrial.bundle"] == "1"
    assert labels["seatrial.requirements"] == "/app/requirements.txt"
    assert json.loads(labels["seatrial.prepare"]) == [["python", "manage.py", "collectstatic"]]
    assert names(one) == ["app/Dockerfile", "app/link", "app/manage.py", "app/pkg/mod.py", "app/requirements.txt"]


def test_the_labels_are_those_the_runtime_reads() -> None:
    for name in ("BUNDLE", "REQUIREMENTS", "REQUIREMENTS_DIGEST", "PREPARE"):
        assert getattr(bundle, name) == getattr(unpacked, name)


def test_the_same_files_make_the_same_digest_in_any_order() -> None:
    backwards = dict(reversed(FILES.items()))
    assert made(FILES).layout.manifest.digest == made(backwards).layout.manifest.digest


@pytest.mark.parametrize(
    "change",
    [
        {"manage.py": File(b"#!/usr/bin/env python\n")},
        {"pkg/mod.py": File(b"x = 2\n")},
        {"link": File(link="manage.py")},
        {"new": File()},
    ],
)
def test_other_files_make_another_digest(change: dict[str, File]) -> None:
    assert made(FILES).layout.manifest.digest != made(FILES | change).layout.manifest.digest


@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3}x)?", fullmatch=True), st.binary(max_size=20), max_size=6))
def test_an_archive_holds_what_was_put_in(content: dict[str, bytes]) -> None:
    directories = {path.split("/")[0] for path in content if "/" in path}
    files = {path: File(body) for path, body in content.items() if path not in directories}
    with tarfile.open(fileobj=io.BytesIO(tar(files))) as archive:
        read = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}  # type: ignore[union-attr]
    assert read == {path: file.content for path, file in files.items()}


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        ("COPY pkg/ ./", "app/mod.py"),
        ("COPY pkg ./lib", "app/lib/mod.py"),
        ("COPY pkg/mod.py /etc/renamed", "etc/renamed"),
        ("COPY pkg/mod.py manage.py /srv/", "srv/mod.py"),
        ("COPY pkg/*.py /srv/", "srv/mod.py"),
        ("COPY p*g /srv", "srv/mod.py"),
        ('COPY ["manage.py", "/opt/x/"]', "opt/x/manage.py"),
    ],
)
def test_copies_from_the_context_are_followed(copies: str, expected: str) -> None:
    one = made(with_dockerfile(f"FROM a\nWORKDIR /app\n{copies}\n"))
    assert expected in names(one)
    assert "app/manage.py" in names(one)


def test_what_is_left_out_is_said() -> None:
    text = "FROM node AS front\nRUN npm ci\nFROM python:2.7-slim\nRUN a\nRUN b\nCOPY --from=front /dist /app/dist\n"
    notes = made(with_dockerfile(text)).notes
    assert len(notes) == 3
    assert "RUN instructions (2)" in notes[0]
    assert "COPY --from=front /dist /app/dist" in notes[1]
    assert "Python 2.7" in notes[2]


def label(files: dict[str, File]) -> str:
    return str(config(made(files))["Labels"]["seatrial.requirements.digest"])


def test_requirements_are_known_by_all_that_decides_them() -> None:
    included = FILES | {"requirements.txt": File(b"-r base.txt\n"), "base.txt": File(b"django==5.2\n")}
    local = FILES | {"requirements.txt": File(b"-e .\n")}
    assert label(FILES) == label(FILES | {"pkg/mod.py": File(b"changed")})
    assert label(included) != label(included | {"base.txt": File(b"django==5.3\n")})
    assert label(local) != label(local | {"pkg/mod.py": File(b"changed")})


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"requirements.txt": File()}, "Dockerfile is not among the files"),
        ({"Dockerfile": File(b"FROM a")}, "requirements.txt is not among the files"),
        ({"Dockerfile": File(b"ENV A=1"), "requirements.txt": File()}, "no FROM"),
    ],
)
def test_what_is_missing_is_said(files: dict[str, File], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        made(files)
