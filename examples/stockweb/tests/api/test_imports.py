"""Files in and out by the API."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from exchange import checking, committing, tasks
from parts.models import Part
from stock.models import Box
from tests.factories import Shelf, define, part

pytestmark = pytest.mark.django_db

FILE = "name;Part number;Ω;location;qty\nResistor 4k7;R-4K7;4k7;A1;100\nResistor 10k;R-10K;ten;A1;50\n"


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Any:
    """Do at once what is queued when a request is over, as a worker would."""
    for task, act in ((tasks.check, checking.check), (tasks.commit, committing.commit)):
        monkeypatch.setattr(task, "delay", act)
    return lambda: django_capture_on_commit_callbacks(execute=True)


def handed_in(client: Client, content: str = FILE) -> dict[str, Any]:
    answer = client.post("/api/v1/imports", {"file": SimpleUploadedFile("parts.csv", content.encode())})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def posted(client: Client, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    answer = client.post(path, body, content_type="application/json")
    return answer.status_code, answer.json()


def test_a_file_is_handed_in_checked_and_imported(kept: Client, worked: Any) -> None:
    define("resistance", unit="ohm")
    Box.objects.create(code="A1")
    it = handed_in(kept)
    assert it["columns"] == ["name", "mpn", "", "box", "quantity"]
    assert (it["state"], it["rows"], it["delimiter"], len(it["sample"])) == ("uploaded", 2, ";", 2)
    path = f"/api/v1/imports/{it['id']}"
    targets = [each["target"] for each in kept.get("/api/v1/imports/columns").json()]
    assert {"mpn", "box", "bought", "attr:resistance"} <= set(targets)
    said = {"columns": ["name", "mpn", "attr:resistance", "box", "quantity"], "constants": {"type": "Resistor"}}
    with worked():
        status, answer = posted(kept, f"{path}/check", said)
    assert (status, answer["state"]) == (202, "checking")
    assert kept.get(path).json()["verdicts"] == {"create": 1, "update": 0, "same": 0, "error": 1}
    (wrong,) = kept.get(f"{path}/lines?verdict=error").json()["items"]
    assert (wrong["line"], wrong["notes"][0]["column"]) == (3, "attr:resistance")
    assert posted(kept, f"{path}/commit")[0] == 409
    it = handed_in(kept, FILE.replace("ten", "10k"))
    assert it["columns"] == said["columns"]
    path = f"/api/v1/imports/{it['id']}"
    with worked():
        posted(kept, f"{path}/check", said)
    with worked():
        assert posted(kept, f"{path}/commit")[0] == 202
    assert kept.get(path).json()["state"] == "done"
    assert Part.objects.count() == 2
    assert [each["state"] for each in kept.get("/api/v1/imports").json()["items"]] == ["done", "checked"]


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ("", "the file is empty"),
        ("name\n", "there is nothing below the header"),
        ("a\0b\nc\n", "line 1 has a zero in it"),
    ],
)
def test_a_file_that_is_no_table_is_refused(kept: Client, content: str, detail: str) -> None:
    answer = kept.post("/api/v1/imports", {"file": SimpleUploadedFile("parts.csv", content.encode())})
    assert answer.status_code == 400
    assert detail in answer.json()["detail"]
    assert kept.post("/api/v1/imports", {}).json()["errors"][0]["pointer"] == "#/file"
    assert kept.post("/api/v1/imports", "{}", content_type="application/json").status_code == 415


def test_columns_that_make_no_sense_are_refused(kept: Client) -> None:
    path = f"/api/v1/imports/{handed_in(kept)['id']}/check"
    status, answer = posted(kept, path, {"columns": ["name"]})
    assert (status, answer["detail"]) == (400, "the file has 5 columns, and 1 are told")
    assert posted(kept, path, {"columns": "x"})[0] == 400


def test_an_import_is_for_whoever_handed_it_in(kept: Client, client: Client) -> None:
    it = handed_in(kept)
    other = Client()
    other.force_login(User.objects.create_user("viewer"))
    for path in ("", "/lines"):
        assert other.get(f"/api/v1/imports/{it['id']}{path}").status_code == 404
        assert Client().get(f"/api/v1/imports/{it['id']}{path}").status_code == 401
    assert other.get("/api/v1/imports").json()["items"] == []
    assert other.post("/api/v1/imports", {"file": SimpleUploadedFile("x.csv", b"name\na\n")}).status_code == 403
    assert kept.get(f"/api/v1/imports/{uuid.uuid4()}").status_code == 404


def test_an_export_is_of_the_parts_that_a_list_has(client: Client, stocked: Shelf) -> None:
    part("Lamp")
    answer = client.get("/api/v1/export?q=resistor", headers={"Accept": "text/csv"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="parts.csv"'
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "id,type,name,mpn,manufacturer,description,package,tags,min_qty,box,quantity"
    assert lines[1:] == [f"{stocked.part.pk},Resistor,Resistor 4k7,,,,,,0,A1,10"]
    wrong = client.get("/api/v1/export?type=999", headers={"Accept": "text/csv"})
    assert (wrong.status_code, wrong["Content-Type"]) == (400, "application/problem+json")
