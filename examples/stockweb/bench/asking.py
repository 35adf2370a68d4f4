"""Requests that are measured, through the whole application in this process, as from somebody who is logged in."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.test import Client

from bench.fill import bom
from bench.shapes import shapes
from bench.timing import Measured
from parts.models import PartType
from projects.importing import read_lines, replace_lines
from projects.models import Project

LINES = 60
LINE = "bench capacitor, ≥ 10 µF, ≥ 25 V, X7R, in stock"
_SMALL, _MIDDLE, _LARGE = 10_000, 100_000, 1_000_000
_SEARCH = {_MIDDLE: 60, _LARGE: 150}


def asked() -> Iterator[Measured]:
    """Yield what is measured."""
    client = Client()
    client.force_login(User.objects.get_or_create(username="bench")[0])
    capacitor = PartType.objects.get(name="Bench capacitor").pk
    narrow = {
        "type": capacitor,
        "attr:capacitance": "4.7uF ±1%",
        "attr:voltage": "200V",
        "attr:dielectric": "X7R",
        "package": "0805",
    }
    wide = {"type": capacitor, "attr:voltage": "25V"}

    def ask(name: str, path: str, query: dict[str, object], budget: dict[int, float]) -> Measured:
        address = f"{path}?{urlencode(query)}" if query else path
        return Measured(name, partial(_asked, client, address), budget)

    yield ask("API: a list of 50 parts", "/api/v1/parts", {"limit": 50}, {_SMALL: 40})
    yield ask("API: parts by words", "/api/v1/parts", {"q": "BENCH-777"}, {})
    yield ask("page: a list of 25 parts", "/parts/", {}, {})
    searches = {"4.7 µF ±1%, ≥ 200 V, X7R, 0805": narrow, "≥ 25 V": wide, LINE: {"line": LINE}}
    for name, query in searches.items():
        yield ask(f"API: what suits “{name}”", "/api/v1/find", query | {"bucket": "suits"}, _SEARCH)
        yield ask(f"API: what could suit “{name}”", "/api/v1/find", query | {"bucket": "could"}, {})
    yield from shapes(LINE)
    yield ask(f"API: a project of {LINES} lines against the stock", _project(), {}, {_LARGE: 400})


def _project() -> str:
    """Make a project whose lines are requirements, and return the address of its report."""
    project, _ = Project.objects.get_or_create(name="Bench")
    replace_lines(project, read_lines(bom(LINES)))
    return f"/api/v1/projects/{project.pk}/report"


def _asked(client: Client, address: str) -> None:
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} is answered by {answer.status_code}")
