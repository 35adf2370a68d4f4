"""Files of parts: sent to a bucket by browsers, looked at before anybody else sees them, forgotten with the part."""

import base64
import hashlib
import io
import json
import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from django.test import TestCase
from django.utils import timezone
from PIL import Image

from attachments import bucket, desk, tasks
from attachments.desk import Announced, Refused
from attachments.kinds import KINDS, KindError, real_type
from attachments.models import Attachment
from attachments.pictures import LARGE, SMALL, drawn
from parts.models import Part
from tests.media import PDF, Queued, picture, post

State = Attachment.State


def got(address: str) -> tuple[bytes, str, str]:
    with urllib.request.urlopen(address) as answer:
        return answer.read(), answer.headers["Content-Type"], answer.headers["Content-Disposition"]


def sent(of: Part, content: bytes, mime: str, name: str = "file", **values: Any) -> Attachment:
    """Announce a file, send it, and say so."""
    it, form = desk.announce(of.pk, Announced(name, mime, values.pop("size", len(content)), **values), user=None)
    assert post(form.url, form.fields, content, mime) == 201
    with TestCase.captureOnCommitCallbacks(execute=True):
        desk.complete(it)
    it.refresh_from_db()
    return it


def test_a_datasheet_is_sent_looked_at_and_kept(media: Part) -> None:
    it = sent(media, PDF, "application/pdf", "C:\\sheets\\Datenblatt µ.pdf", sha256=hashlib.sha256(PDF).hexdigest())
    assert (it.state, it.name, it.size) == (State.READY, "Datenblatt µ.pdf", len(PDF))
    content, mime, disposition = got(desk.link(it))
    assert (content, mime) == (PDF, "application/pdf")
    assert disposition == "attachment; filename*=UTF-8''Datenblatt%20%C2%B5.pdf"
    assert [each.key for each in bucket.stored()] == [it.key]
    with pytest.raises(Refused, match="only photos"):
        desk.link(it, thumbnail=True)


def test_a_photo_is_drawn_anew(media: Part, queued: Queued) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    sideways = picture(size=(4000, 3000), exif=exif, comment=b"by a camera")
    it = sent(media, sideways, "image/jpeg")
    assert (it.state, it.width, it.height) == (State.READY, LARGE * 3 // 4, LARGE)
    assert queued.calls == [(f"{it.pk}",)]
    content, mime, _ = got(desk.link(it))
    assert (len(content), mime) == (it.size, "image/jpeg")
    photo = Image.open(io.BytesIO(content))
    assert photo.size == (it.width, it.height)
    assert not photo.getexif()
    assert b"by a camera" not in content
    red, blue = photo.getpixel((10, 10)), photo.getpixel((it.width - 10, 10))
    assert (red[0] > 200, blue[2] > 200) == (True, True)
    small = Image.open(io.BytesIO(got(desk.link(it, thumbnail=True))[0]))
    assert (small.format, max(small.size)) == ("WEBP", SMALL)
    assert sorted(each.key for each in bucket.stored()) == sorted([it.key, it.thumbnail_key])
    desk.draw(f"{it.pk}")  # delivered twice


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_what_is_transparent_stays_so(name: str) -> None:
    clear = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    written = io.BytesIO()
    clear.save(written, name)
    made = drawn(written.getvalue(), KINDS[f"image/{name.lower()}"])
    assert Image.open(io.BytesIO(made.photo)).mode == "RGBA"


@pytest.mark.parametrize(
    ("content", "mime", "values", "error"),
    [
        (PDF, "image/png", {}, "is application/pdf, and image/png was announced"),
        (PDF, "application/pdf", {"size": 10}, f"has {len(PDF)} bytes, and 10 were announced"),
        (PDF, "application/pdf", {"sha256": "0" * 64}, "is not the file that was announced: its SHA-256 is another"),
        (b"<svg onload=alert(1)>", "image/png", {}, "is neither a PDF nor a JPEG, PNG or WebP picture"),
        (b"\xff\xd8\xff not much", "image/jpeg", {}, "is no picture that can be read"),
    ],
)
@pytest.mark.usefixtures("queued")
def test_what_was_not_announced_is_refused_and_deleted(
    media: Part, content: bytes, mime: str, values: dict[str, Any], error: str
) -> None:
    it = sent(media, content, mime, **values)
    assert it.state == State.REFUSED
    assert error in it.error
    assert list(bucket.stored()) == []
    with pytest.raises(Refused, match="was refused"):
        desk.link(it)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (PDF, ""),
        (b"%PDF-1.4 <html><script>" + PDF, "something else besides"),
        (PDF + b"PK\x05\x06" + bytes(18), "something else besides"),
        (PDF[:20], "without its end"),
        (picture("PNG"), ""),
        (picture("PNG")[:33] + b"<svg xmlns=" + picture("PNG")[33:], "something else besides"),
        (picture(comment=b"<script>"), "something else besides"),
        (picture("WEBP"), ""),
        (b"GIF89a", "is neither"),
        (b" <!DOCTYPE html>", "is neither"),
        (b"", "is neither"),
    ],
)
def test_a_file_is_one_thing_by_its_bytes(content: bytes, error: str) -> None:
    if error:
        with pytest.raises(KindError, match=error):
            real_type(content, content)
    else:
        assert real_type(content, content).mime in KINDS


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(KindError, match="7000 × 5000 points"):
        drawn(picture("PNG", (7000, 5000)), KINDS["image/png"])
    with pytest.raises(KindError, match="is no picture"):
        drawn(picture("PNG"), KINDS["image/jpeg"])


def test_what_is_not_for_a_bucket_is_refused_before(media: Part, settings: Any) -> None:
    for announced, match in (
        (Announced("x.svg", "image/svg+xml", 10), "attachments are of application/pdf"),
        (Announced("x.pdf", "application/pdf", desk.LARGEST + 1), "at most 20 MiB"),
        (Announced("x.pdf", "application/pdf", 0), "at most 20 MiB"),
    ):
        with pytest.raises(Refused, match=match):
            desk.announce(media.pk, announced, user=None)
    it, _ = desk.announce(media.pk, Announced("x.pdf", "application/pdf", 10), user=None)
    with pytest.raises(Refused, match="has not come"):
        desk.complete(it)
    settings.MEDIA_BUCKET = ""
    with pytest.raises(Refused, match="no bucket"):
        desk.announce(media.pk, Announced("x.pdf", "application/pdf", 10), user=None)
    assert bucket.origin() == ""


def test_a_form_is_for_one_key_one_type_and_one_size(media: Part) -> None:
    it, form = desk.announce(media.pk, Announced("x.pdf", "application/pdf", 10), user=None)
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert {"key": it.incoming_key} in policy["conditions"]
    assert {"Content-Type": "application/pdf"} in policy["conditions"]
    assert ["content-length-range", 10, 10] in policy["conditions"]


def test_what_is_put_in_place_of_what_was_looked_at_is_not_taken(media: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    it, form = desk.announce(media.pk, Announced("x.jpg", "image/jpeg", len(picture())), user=None)
    post(form.url, form.fields, picture(), "image/jpeg")
    monkeypatch.setattr(tasks.draw, "delay", lambda _: None)
    desk.complete(it)
    assert it.state == State.DRAWING
    post(form.url, form.fields, picture("JPEG", quality=10), "image/jpeg")
    desk.draw(f"{it.pk}")
    it.refresh_from_db()
    assert (it.state, it.error) == (State.REFUSED, "was replaced after it had been looked at")


def test_a_part_takes_its_files_along(media: Part, queued: Queued) -> None:
    sent(media, PDF, "application/pdf")
    sent(media, picture(), "image/jpeg")
    with TestCase.captureOnCommitCallbacks(execute=True):
        media.delete()
    assert list(bucket.stored()) == []


def test_the_sweep_deletes_what_nobody_knows(media: Part) -> None:
    it = sent(media, PDF, "application/pdf")
    desk.announce(media.pk, Announced("x.pdf", "application/pdf", 10), user=None)
    bucket.write("files/orphan", b"x", "text/plain")
    assert desk.sweep() == 0  # it may be on its way
    assert desk.sweep(timezone.now() + desk.PATIENCE + timedelta(hours=1)) == 1
    assert [each.key for each in bucket.stored()] == [it.key]
    assert Attachment.objects.get() == it


def test_a_bucket_that_does_not_answer_is_told_as_such(media: Part, settings: Any) -> None:
    settings.MEDIA_BUCKET = "not-there"
    with pytest.raises(bucket.BucketError, match="NoSuchBucket"):
        bucket.look("x", 1)


def test_on_amazon_the_bucket_has_an_address_of_its_own(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """S3 redirects the address without a region while a bucket is young, and a browser's upload fails with it."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in {"AWS_REGION": "eu-west-3", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}.items():
        monkeypatch.setenv(name, value)
    settings.MEDIA_BUCKET = "stock-media"
    bucket.client.cache_clear()
    try:
        assert bucket.origin() == "https://stock-media.s3.eu-west-3.amazonaws.com"
        assert bucket.upload_form("k", "image/png", 5).url == f"{bucket.origin()}/"
        assert bucket.link("k", "image/png").startswith(f"{bucket.origin()}/k?")
    finally:
        bucket.client.cache_clear()
