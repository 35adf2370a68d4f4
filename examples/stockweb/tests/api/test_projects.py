"""Projects, their bills of material and builds by the API."""

import uuid
from typing import Any

import pytest
from django.test import Client

from parts.models import Part
from projects.models import BomLine, Project
from stock.models import Lot
from tests.api.test_shops import V1, offer, send, shop
from tests.api.test_stock import post
from tests.factories import Shelf

pytestmark = pytest.mark.django_db

BOM = "Reference,Value,Qty,MPN\nX1-X2,Resistor,2,R-47\n"


@pytest.fixture
def project(stocked: Shelf) -> int:
    """A project that needs two of the part on the shelf."""
    Part.objects.filter(pk=stocked.part.pk).update(mpn="R-47")
    return Project.objects.create(name="Blinker").pk


def import_bom(client: Client, project: int, content: bytes | str = BOM, query: str = "") -> tuple[int, Any]:
    data = content.encode() if isinstance(content, str) else content
    answer = client.put(f"{V1}/projects/{project}/bom{query}", data, content_type="text/csv")
    return answer.status_code, answer.json()


def test_a_project_from_its_file_to_its_undone_build(kept: Client, stocked: Shelf, project: int) -> None:
    status, body = import_bom(kept, project)
    assert (status, body["items"][0]["refs"], body["items"][0]["unclear"]) == (
        200,
        ["X1", "X2"],
        "no type of part has the designator X",
    )
    report = kept.get(f"{V1}/projects/{project}/report?boards=3").json()
    (line,) = report["lines"]
    assert (line["status"], line["by"], line["needed"], line["got"], line["part"]["total"]) == (
        "have",
        "number",
        6,
        6,
        10,
    )
    assert (report["boards"], report["buildable"], report["whole"]) == (3, 5, True)
    key = uuid.uuid4()
    status, built = post(kept, f"{V1}/projects/{project}/builds", {"boards": 3}, key)
    assert (status, built["user"], built["undone"], stocked.qty(stocked.first)) == (201, "keeper", False, 4)
    assert post(kept, f"{V1}/projects/{project}/builds", {"boards": 3}, key)[0] == 200
    assert post(kept, f"{V1}/projects/{project}/builds", {"boards": 2}, key)[1]["code"] == "key-reused"
    status, refused = post(kept, f"{V1}/projects/{project}/builds", {"boards": 3})
    assert (status, refused["code"], refused["buildable"]) == (409, "not-buildable", 2)
    for _ in range(2):
        undone = kept.post(f"{V1}/builds/{built['id']}/undo").json()
        assert (undone["undone"], stocked.qty(stocked.first)) == (True, 10)
    assert [each["id"] for each in kept.get(f"{V1}/projects/{project}/builds").json()["items"]] == [built["id"]]
    assert kept.delete(f"{V1}/projects/{project}").status_code == 409


def test_a_dry_run_keeps_nothing(kept: Client, project: int) -> None:
    status, body = import_bom(kept, project, query="?dry_run=1")
    assert (status, body["items"][0]["id"], BomLine.objects.count()) == (200, None, 0)


@pytest.mark.parametrize(
    ("content", "details"),
    [
        (b"", ["the file is empty"]),
        (b"\x00\xff\x00", None),
        ("Reference,Value,Qty\nR1,1k,2\nR2,1k,none\n", ["line 2: the quantity is 2", "line 3: the quantity “none”"]),
    ],
)
def test_a_file_that_is_none_is_400_with_its_lines(
    kept: Client, project: int, content: Any, details: list[str] | None
) -> None:
    status, body = import_bom(kept, project, content)
    assert (status, body["code"]) == (400, "bad-bom")
    found = [each["detail"] for each in body["errors"]]
    assert details is None or all(each.startswith(wanted) for each, wanted in zip(found, details, strict=True))
    assert not BomLine.objects.exists()


def test_a_file_that_is_too_large_is_413(kept: Client, project: int) -> None:
    assert import_bom(kept, project, b"x" * (2 * 2**20 + 1))[0] == 413


def test_a_choice_for_a_line(kept: Client, stocked: Shelf, project: int) -> None:
    import_bom(kept, project, "Reference,Value\nX1,something\n")
    line = BomLine.objects.get().pk
    (before,) = kept.get(f"{V1}/projects/{project}/report").json()["lines"]
    assert (before["status"], before["part"]) == ("unknown", None)
    status, body = send(kept, "patch", f"/bom-lines/{line}", {"chosen": stocked.part.pk, "remember": True})
    assert (status, body["chosen"]) == (200, stocked.part.pk)
    assert kept.get(f"{V1}/projects/{project}/report").json()["lines"][0]["status"] == "have"
    assert send(kept, "patch", f"/bom-lines/{line}", {"chosen": 0})[0] == 400
    assert send(kept, "patch", f"/bom-lines/{line}", {"chosen": None})[1]["chosen"] is None
    assert kept.get(f"{V1}/projects/{project}/report").json()["lines"][0]["by"] == "remembered"
    assert kept.get(f"{V1}/projects/{project}/bom").json()["items"][0]["value"] == "something"


def test_what_a_project_lacks_is_on_the_shopping_list(kept: Client, stocked: Shelf, project: int) -> None:
    import_bom(kept, project)
    offer(kept, stocked.part.pk, shop(kept), "S-1", {1: "0.5"})
    found = kept.get(f"{V1}/shopping-list?project={project}&boards=7").json()
    assert (found["orders"][0]["items"][0]["quantity"], found["total"]) == (4, "2")


def test_projects_are_kept(kept: Client) -> None:
    status, made = send(kept, "post", "/projects", {"name": "Clock", "boards": 2})
    assert (status, made["lines"]) == (201, 0)
    assert send(kept, "post", "/projects", {"name": "Clock"})[0] == 409
    assert send(kept, "patch", f"/projects/{made['id']}", {"boards": 5})[1]["boards"] == 5
    assert [each["name"] for each in kept.get(f"{V1}/projects").json()["items"]] == ["Clock"]
    assert kept.delete(f"{V1}/projects/{made['id']}").status_code == 204
    assert kept.get(f"{V1}/projects/{made['id']}").status_code == 404


def test_a_count_by_the_api(kept: Client, stocked: Shelf) -> None:
    path = f"{V1}/parts/{stocked.part.pk}"
    status, body = post(kept, f"{path}/count", {"box": "A1", "quantity": 0, "roughly": True})
    assert (status, body["delta"], body["balance"]) == (201, -10, 0)
    assert post(kept, f"{path}/take", {"box": "A1", "quantity": 3})[0] == 201
    (held,) = kept.get(path).json()["stock"]
    assert (held["quantity"], held["approximate"], held["counted_at"]) == (0, True, None)
    post(kept, f"{path}/count", {"box": "A1", "quantity": 4})
    (lot,) = kept.get(f"{V1}/lots").json()["items"]
    assert (lot["quantity"], lot["approximate"]) == (4, False)
    assert lot["counted_at"] is not None
    assert post(kept, f"{path}/count", {"box": "A1", "quantity": -1})[0] == 400


def test_a_purchase_by_the_api_has_its_cost(kept: Client, stocked: Shelf) -> None:
    path = f"{V1}/parts/{stocked.part.pk}"
    cost = {"unit_cost": "0.0215", "currency": "EUR"}
    assert post(kept, f"{path}/add", {"box": "A1", "quantity": 50, **cost})[0] == 201
    newest = kept.get(path).json()["movements"][0]
    assert (newest["unit_cost"], newest["currency"]) == ("0.0215", "EUR")
    status, body = post(kept, f"{path}/add", {"box": "A1", "quantity": 50, "unit_cost": "1"})
    assert (status, body["errors"][0]["pointer"]) == (400, "#/currency")


def test_visitors_look_and_change_nothing(client: Client, stocked: Shelf, project: int) -> None:
    assert client.get(f"{V1}/projects/{project}/report").json()["lines"] == []
    assert import_bom(client, project)[0] in (401, 403)
    assert post(client, f"{V1}/projects/{project}/builds", {"boards": 1})[0] in (401, 403)
    assert Lot.objects.get().qty == 10


def test_the_letters_of_a_type_are_its_own(admin_client: Client, stocked: Shelf) -> None:
    pk = stocked.part.type_id
    status, body = send(admin_client, "patch", f"/types/{pk}", {"designators": "R RN"})
    assert (status, body["designators"]) == (200, "R RN")
    status, body = send(admin_client, "post", "/types", {"name": "Relay", "designators": "K rn"})
    assert (status, body["errors"]) == (400, [{"detail": "RN means Resistor", "pointer": "#/designators"}])
