"""Importing by hand, and the files on the page of a part."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from attachments import desk
from attachments.desk import Announced
from attachments.models import Attachment
from exchange import checking, committing, tasks
from exchange.models import Import
from parts.models import Part
from stock.models import Box
from stockweb.headers import content_policy
from tests.factories import define
from tests.media import PDF, Queued, picture, post

pytestmark = pytest.mark.django_db


def handed_in(client: Client, content: str) -> str:
    """Hand a file in, and return the address of its page."""
    answer = client.post("/imports/", {"file": SimpleUploadedFile("parts.csv", content.encode())})
    return str(answer["Location"])


def test_a_file_is_imported_by_hand(
    kept: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    define("resistance", unit="ohm")
    Box.objects.create(code="A1")
    monkeypatch.setattr(tasks.check, "delay", lambda *_: None)
    monkeypatch.setattr(tasks.commit, "delay", committing.commit)
    page = handed_in(kept, "Name;R;qty\nResistor 4k7;4k7;5\nResistor x;x;5\n")
    shown = kept.get(page).content.decode()
    assert '<option value="name" selected>' in shown
    assert "Resistor 4k7 · Resistor x" in shown
    said = {"column": ["name", "attr:resistance", "quantity"], "type": "Resistor", "box": "A1", "manufacturer": ""}
    kept.post(f"{page}check/", said)
    assert "data-import=" in kept.get(page).content.decode()
    it = Import.objects.get()
    checking.check(f"{it.pk}", it.run)
    shown = kept.get(page).content.decode()
    assert "1 new" in shown
    assert "is not read as a number of Ω" in shown
    assert "Nothing is imported until these rows are right." in shown
    assert "commit/" not in shown
    assert "1 rows have errors" in kept.post(f"{page}commit/", follow=True).content.decode()
    page = handed_in(kept, "Name;R;qty\nResistor 4k7;4k7;5\n")
    kept.post(f"{page}check/", said)
    it = Import.objects.first()
    checking.check(f"{it.pk}", it.run)
    assert "Import 1 row<" in kept.get(page).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        kept.post(f"{page}commit/")
    assert "What was done" in kept.get(page).content.decode()
    assert Part.objects.get().lots.get().qty == 5
    assert "has been imported" in kept.get("/imports/").content.decode()


def test_what_cannot_be_imported_says_why(kept: Client) -> None:
    for data, told in (
        ({}, "Choose a file."),
        ({"file": SimpleUploadedFile("x.csv", b"name\n")}, "There is nothing below"),
    ):
        assert told in kept.post("/imports/", data, follow=True).content.decode()
    page = handed_in(kept, "a,b\n1,2\n")
    answer = kept.post(f"{page}check/", {"column": ["", ""]}, follow=True)
    assert "No column says which part a row is about" in answer.content.decode()


def test_importing_is_for_keepers_and_an_import_for_its_owner(kept: Client, client: Client) -> None:
    page = handed_in(kept, "name\na\n")
    viewer = Client()
    viewer.force_login(User.objects.create_user("viewer"))
    assert viewer.get("/imports/").status_code == 403
    assert Client().get("/imports/").status_code == 302
    other = Client()
    other.force_login(User.objects.create_superuser("admin"))
    assert other.get(page).status_code == 404
    assert '<a href="/imports/">' in kept.get("/parts/").content.decode()
    assert '<a href="/imports/">' not in viewer.get("/parts/").content.decode()


def test_the_page_of_a_part_has_its_files(kept: Client, media: Part, queued: Queued) -> None:
    for content, mime, name in ((PDF, "application/pdf", "sheet.pdf"), (picture(), "image/jpeg", "front.jpg")):
        it, form = desk.announce(media.pk, Announced(name, mime, len(content)), user=None)
        post(form.url, form.fields, content, mime)
        with queued.done():
            desk.complete(it)
    desk.announce(media.pk, Announced("never came.pdf", "application/pdf", 10), user=None)
    shown = kept.get(f"/parts/{media.pk}/").content.decode()
    assert shown.count("<img src=") == 2  # with the brand's
    assert "sheet.pdf" in shown
    assert "never came" not in shown
    assert "data-attach=" in shown
    assert "data-attach=" not in Client().get(f"/parts/{media.pk}/").content.decode()
    photo = Attachment.objects.get(name="front.jpg")
    assert "“front.jpg” is deleted." in kept.post(f"/attachments/{photo.pk}/delete/", follow=True).content.decode()
    assert Client().post(f"/attachments/{photo.pk}/delete/").status_code == 302


def test_without_a_bucket_there_are_no_files(kept: Client, settings: Any, stocked: Any) -> None:
    settings.MEDIA_BUCKET = ""
    assert "Datasheet or photo" not in kept.get(f"/parts/{stocked.part.pk}/").content.decode()


def test_pages_may_load_from_the_bucket_and_from_nowhere_else() -> None:
    policy = content_policy("https://media.example")
    assert "img-src 'self' data: https://media.example;" in policy
    assert "connect-src 'self' https://media.example;" in policy
    assert "img-src 'self' data:; connect-src 'self';" in content_policy("")
