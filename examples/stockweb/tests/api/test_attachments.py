"""Datasheets and photos by the API."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from parts.models import Part
from tests.media import PDF, Queued, picture, post

pytestmark = pytest.mark.django_db


def announced(
    client: Client, of: Part, content: bytes, mime: str, name: str = "sheet.pdf"
) -> tuple[int, dict[str, Any]]:
    body = {"name": name, "type": mime, "size": len(content)}
    answer = client.post(f"/api/v1/parts/{of.pk}/attachments", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_a_datasheet_and_a_photo_are_attached_and_deleted(kept: Client, media: Part, queued: Queued) -> None:
    for content, mime in ((PDF, "application/pdf"), (picture(), "image/jpeg")):
        status, answer = announced(kept, media, content, mime)
        assert (status, answer["attachment"]["state"], answer["attachment"]["url"]) == (201, "expected", None)
        path = f"/api/v1/attachments/{answer['attachment']['id']}"
        assert kept.post(f"{path}/complete").status_code == 409
        assert post(answer["upload"]["url"], answer["upload"]["fields"], content, mime) == 201
        with queued.done():
            assert kept.post(f"{path}/complete").status_code == 200
        assert kept.get(path).json()["state"] == "ready"
    sheet, photo = Client().get(f"/api/v1/parts/{media.pk}/attachments").json()
    assert (sheet["name"], sheet["size"], sheet["thumbnail_url"]) == ("sheet.pdf", len(PDF), None)
    assert (photo["width"], photo["height"]) == (640, 480)
    assert photo["thumbnail_url"].startswith("http://127.0.0.1:")
    with queued.done():
        assert kept.delete(f"/api/v1/attachments/{photo['id']}").status_code == 204
    assert kept.get(f"/api/v1/attachments/{photo['id']}").status_code == 404


@pytest.mark.parametrize("wrong", [{"type": "image/svg+xml"}, {"size": 0}, {"size": 20 * 2**20 + 1}, {"sha256": "x"}])
def test_what_cannot_be_attached_is_refused(kept: Client, media: Part, wrong: dict[str, Any]) -> None:
    body = {"name": "x", "type": "image/png", "size": 5} | wrong
    answer = kept.post(f"/api/v1/parts/{media.pk}/attachments", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == f"#/{next(iter(wrong))}"


def test_attaching_needs_a_keeper_and_a_bucket_that_answers(kept: Client, media: Part, settings: Any) -> None:
    viewer = Client()
    viewer.force_login(User.objects.create_user("viewer"))
    assert announced(viewer, media, PDF, "application/pdf")[0] == 403
    assert announced(Client(), media, PDF, "application/pdf")[0] == 401
    assert kept.get(f"/api/v1/attachments/{uuid.uuid4()}").status_code == 404
    _, answer = announced(kept, media, PDF, "application/pdf")
    settings.MEDIA_BUCKET = "not-there"
    answer = kept.post(f"/api/v1/attachments/{answer['attachment']['id']}/complete")
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "10", "no-bucket")
    settings.MEDIA_BUCKET = ""
    assert announced(kept, media, PDF, "application/pdf")[0] == 409
