"""What a Dockerfile says about running its image."""

from __future__ import annotations

import pytest

from seatrial.images.dockerfile import Copy, last_stage

FULL = r"""
# syntax=docker/dockerfile:1
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
ENV ONLY=build
RUN pip wheel \
    # a comment inside
    --wheel-dir /wheels \
    -r requirements.txt
FROM python:3.13-slim AS base
ENV PYTHONUNBUFFERED=1 \
    GREETING="hello $USER_NAME" NAME='$raw'
WORKDIR /srv
CMD ["from", "base"]
FROM base
ARG PORT=8000
ENV PORT=$PORT PATH="/opt/venv/bin:$PATH" OLD=${MISSING:-default} SET=${PORT:+yes}
WORKDIR app
COPY --from=build /wheels /wheels
RUN <<EOF
pip install /wheels/*
CMD ["not", "an", "instruction"]
EOF
COPY --chown=app:app manage.py pyproject.toml ./
COPY . .
USER app
STOPSIGNAL SIGQUIT
HEALTHCHECK CMD curl localhost
ENTRYPOINT ["/srv/app/entrypoint.sh"]
CMD gunicorn app.wsgi --bind 0.0.0.0:$PORT
"""


def test_the_last_stage_with_what_it_is_built_on() -> None:
    stage = last_stage(FULL)
    assert stage.base == "python:3.13-slim"
    assert stage.environment == {
        "PYTHONUNBUFFERED": "1",
        "GREETING": "hello ",
        "NAME": "$raw",
        "PORT": "8000",
        "PATH": "/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "OLD": "default",
        "SET": "yes",
    }
    assert stage.working_directory == "/srv/app"
    assert stage.entry_point == ("/srv/app/entrypoint.sh",)
    assert stage.command == ("/bin/sh", "-c", "gunicorn app.wsgi --bind 0.0.0.0:$PORT")
    assert stage.user == "app"
    assert stage.stop_signal == "SIGQUIT"
    assert stage.copies == (Copy(("manage.py", "pyproject.toml"), "/srv/app/"), Copy((".",), "/srv/app/"))
    assert stage.not_done == ("COPY --from=build /wheels /wheels", "RUN <<EOF")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('FROM a\nCMD ["x", "y"]', ("x", "y")),
        ("FROM a\nCMD x y", ("/bin/sh", "-c", "x y")),
        ('FROM a\nSHELL ["bash", "-ec"]\nCMD x', ("bash", "-ec", "x")),
        ('FROM a\nCMD ["old"]\nCMD ["new"]', ("new",)),
        ("FROM a\nCMD ['not json']", ("/bin/sh", "-c", "['not json']")),
        ('FROM a AS b\nCMD ["x"]\nFROM b\nENTRYPOINT ["e"]', ()),
        ('FROM a\nCMD ["x"]\nENTRYPOINT ["e"]', ("x",)),
        ('from a\ncmd ["x"]', ("x",)),
    ],
)
def test_commands(text: str, command: tuple[str, ...]) -> None:
    assert last_stage(text).command == command


@pytest.mark.parametrize(
    ("line", "environment"),
    [
        ("ENV A=1 B=2", {"A": "1", "B": "2"}),
        ("ENV A some words", {"A": "some words"}),
        ("ENV A=\"x y\" B='q' C=a\\ b", {"A": "x y", "B": "q", "C": "a b"}),
        ("ENV A=1\nENV A=$A$A", {"A": "11"}),
        ("ENV A=\\$HOME", {"A": "$HOME"}),
        ("ARG V\nENV A=$V", {"A": ""}),
    ],
)
def test_variables(line: str, environment: dict[str, str]) -> None:
    assert last_stage(f"FROM a\n{line}").environment == environment


def test_build_arguments_are_given_from_outside() -> None:
    text = "ARG BASE=a\nARG TOP=top\nFROM $BASE\nARG V=default\nARG TOP\nENV A=$V B=$TOP"
    stage = last_stage(text, {"BASE": "b", "V": "given"})
    assert stage.base == "b"
    assert stage.environment == {"A": "given", "B": "top"}


def test_another_escape_character() -> None:
    assert last_stage('# escape=`\nFROM a\nCMD ["x", `\n"y"]').command == ("x", "y")


def test_a_file_without_from_is_no_dockerfile() -> None:
    with pytest.raises(ValueError, match="FROM"):
        last_stage("ENV A=1")
