"""Environment files as the ECS agent reads them."""

from __future__ import annotations

import pytest

from seatrial.emulator.ecs.envfiles import merged, parse, place


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("", {}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2", {"A": "1", "B": "2"}),
        ("# A=1\n#B=2\n #C=3", {" #C": "3"}),
        ("A=\n=1\nno\n\nB=b", {"B": "b"}),
        ("A=x=y\nB= 'quoted' ", {"A": "x=y", "B": " 'quoted' "}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=one\u2028line", {"A": "one\u2028line"}),
    ],
)
def test_lines(text: str, variables: dict[str, str]) -> None:
    assert parse(text) == variables


def test_the_first_file_that_has_a_name_decides() -> None:
    assert merged(["A=1\nB=1", "A=2\nC=2", "C=3\nD=3"]) == {"A": "1", "B": "1", "C": "2", "D": "3"}


@pytest.mark.parametrize(
    ("arn", "found"),
    [
        ("arn:aws:s3:::files/a.env", ("files", "a.env")),
        ("arn:aws-cn:s3:::files/deep/down/.env", ("files", "deep/down/.env")),
        ("arn:aws:s3:::files/a.txt", None),
        ("arn:aws:s3:::files", None),
        ("s3://files/a.env", None),
    ],
)
def test_places(arn: str, found: tuple[str, str] | None) -> None:
    assert place(arn) == found
