"""For how long an edge gives an answer without asking: the table of CloudFront's developer guide, row by row."""

from __future__ import annotations

import pytest

from seatrial.emulator.edge.freshness import error_lifetime, lifetime
from seatrial.emulator.edge.model import Answer, CachePolicy, ErrorPage

DATE = ("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
NONE = CachePolicy(minimum=0, default=86400, maximum=1000000)
SOME = CachePolicy(minimum=100, default=86400, maximum=1000000)


@pytest.mark.parametrize(
    ("header", "without_minimum", "with_minimum"),
    [
        ("", 86400, 86400),
        ("public", 86400, 86400),
        ("max-age=3600", 3600, 3600),
        ("max-age=10", 10, 100),
        ("max-age=9999999", 1000000, 1000000),
        ("public, max-age=0, s-maxage=500, must-revalidate", 500, 500),
        ("s-maxage=500, max-age=7", 500, 500),
        ("max-age=0", 0, 100),
        ("no-cache", 0, 100),
        ("no-store", None, 100),
        ("private, max-age=60", None, 100),
        ("No-Store", None, 100),
        ("max-age=soon", 86400, 86400),
    ],
)
def test_cache_control(header: str, without_minimum: float | None, with_minimum: float) -> None:
    answer = Answer(200, (("Cache-Control", header),))
    assert lifetime(answer, NONE) == without_minimum
    assert lifetime(answer, SOME) == with_minimum


@pytest.mark.parametrize(
    ("expires", "seconds"),
    [("Thu, 01 Jan 2026 00:10:00 GMT", 600), ("Wed, 31 Dec 2025 00:00:00 GMT", 0), ("0", 0)],
)
def test_expires_counts_from_the_date_of_the_answer(expires: str, seconds: float) -> None:
    assert lifetime(Answer(200, (DATE, ("Expires", expires))), NONE) == seconds
    assert lifetime(Answer(200, (DATE, ("Expires", expires), ("Cache-Control", "max-age=5"))), NONE) == 5


@pytest.mark.parametrize(
    ("status", "header", "page", "seconds"),
    [
        (404, "", None, 10),
        (500, "", None, 10),
        (404, "", ErrorPage(None, None, 0), 0),
        (404, "max-age=60", ErrorPage(None, None, 5), 60),
        (403, "", None, 0),
        (403, "max-age=60", None, 60),
        (403, "", ErrorPage("/index.html", 200, 30), 30),
        (418, "max-age=60", None, 0),
    ],
)
def test_errors(status: int, header: str, page: ErrorPage | None, seconds: float) -> None:
    assert error_lifetime(Answer(status, (("Cache-Control", header),)), page) == seconds
