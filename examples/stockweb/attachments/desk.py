"""What people do with attachments: announce a file and get a form for it, say that it was sent, look at it."""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from attachments import bucket, tasks
from attachments.bucket import Form
from attachments.kinds import KINDS, KindError, real_type
from attachments.models import Attachment
from attachments.pictures import THUMBNAIL_TYPE, drawn

#: Of one file, in bytes, and of one part.
LARGEST = 20 * 2**20
MOST = 30
#: What nobody knows of is left alone for so long: it may be on its way.
PATIENCE = timedelta(days=1)

State = Attachment.State
logger = logging.getLogger(__name__)


class Refused(Exception):
    """It cannot be done as things are; the message is for whoever wanted it."""


class Wrong(Refused):
    """What was announced is nothing that can be attached."""


def available() -> bool:
    """Whether there is a bucket."""
    return bool(settings.MEDIA_BUCKET)


@dataclass(frozen=True)
class Announced:
    """What a file is, as its sender says: ``sha256`` in hexadecimal, or nothing."""

    name: str
    mime: str
    size: int
    sha256: str = ""


def announce(part: int, file: Announced, *, user: int | None) -> tuple[Attachment, Form]:
    """Expect a file; return the form by which a browser sends it to the bucket. Raises :class:`Refused`."""
    if not available():
        raise Refused("there is no bucket for attachments here")
    if file.mime not in KINDS:
        raise Wrong(f"attachments are of {', '.join(KINDS)}")
    if not 1 <= file.size <= LARGEST:
        raise Wrong(f"attachments have at most {LARGEST // 2**20} MiB")
    if Attachment.objects.filter(part_id=part).exclude(state=State.REFUSED).count() >= MOST:
        raise Refused(f"a part has at most {MOST} attachments")
    it = Attachment(part_id=part, user_id=user, name=_plain(file.name), mime=file.mime, size=file.size)
    it.sha256 = file.sha256.lower()
    form = bucket.upload_form(it.incoming_key, it.mime, it.size)
    it.save()
    return it, form


def complete(wanted: Attachment) -> Attachment:
    """Look at what was sent: it is taken, or refused for good. Saying it twice is saying it once.

    Raises :class:`Refused` when nothing has come yet.
    """
    if wanted.state != State.EXPECTED:
        return wanted
    try:
        found = bucket.look(wanted.incoming_key, LARGEST)
    except bucket.Missing:
        raise Refused("the file has not come") from None
    try:
        _check(wanted, found)
    except KindError as error:
        bucket.remove([wanted.incoming_key])
        return _settled(wanted, state=State.REFUSED, error=f"{error}")
    if wanted.is_photo:
        it = _settled(wanted, state=State.DRAWING, etag=found.etag, sha256=found.sha256)
        transaction.on_commit(lambda: tasks.draw.delay(f"{it.pk}"))
        return it
    bucket.copy(wanted.incoming_key, found.etag, wanted.key, wanted.mime)
    bucket.remove([wanted.incoming_key])
    return _settled(wanted, state=State.READY, etag=found.etag, sha256=found.sha256)


def draw(pk: str) -> None:
    """Draw a photo anew, and its thumbnail. One that was drawn already is left alone."""
    it = Attachment.objects.filter(pk=pk, state=State.DRAWING).first()
    if it is None:
        return
    try:
        made = drawn(bucket.read(it.incoming_key, it.etag), KINDS[it.mime])
    except (KindError, bucket.Missing) as error:
        reason = f"{error}" if isinstance(error, KindError) else "was replaced after it had been looked at"
        _settled(it, state=State.REFUSED, error=reason[:300])
    else:
        bucket.write(it.key, made.photo, it.mime)
        bucket.write(it.thumbnail_key, made.thumbnail, THUMBNAIL_TYPE)
        _settled(it, state=State.READY, width=made.width, height=made.height, size=len(made.photo))
    bucket.remove([it.incoming_key])


def link(it: Attachment, *, thumbnail: bool = False) -> str:
    """Return an address of a file, or of its thumbnail, that is good for some minutes. Raises :class:`Refused`."""
    if it.state != State.READY or (thumbnail and not it.is_photo):
        raise Refused(
            f"the file {it.get_state_display()}" if it.state != State.READY else "only photos have a thumbnail"
        )
    return bucket.link(it.thumbnail_key, THUMBNAIL_TYPE) if thumbnail else bucket.link(it.key, it.mime, it.name)


def forget_objects(instance: Attachment, **_: Any) -> None:
    """Have the bucket forget an attachment that the database no longer has; the sweep sees to it where this fails."""
    keys = instance.keys  # which it no longer knows when it is gone
    if available():
        transaction.on_commit(lambda: tasks.remove.delay(keys))


def sweep(now: datetime | None = None) -> int:
    """Forget files that never came, delete objects that no attachment knows, and return how many those were."""
    before = (now or timezone.now()) - PATIENCE
    Attachment.objects.filter(state__in=(State.EXPECTED, State.REFUSED), created__lt=before).delete()
    known = {key for each in Attachment.objects.only("pk") for key in each.keys}
    orphans = [each.key for each in bucket.stored() if each.changed < before and each.key not in known]
    bucket.remove(orphans)
    return len(orphans)


def redraw(now: datetime | None = None) -> int:
    """Queue photos again that were lost with the broker's memory, and return how many."""
    lost = Attachment.objects.filter(state=State.DRAWING, created__lt=(now or timezone.now()) - timedelta(minutes=15))
    waiting = list(lost.values_list("pk", flat=True))
    for pk in waiting:
        tasks.draw.delay(f"{pk}")
    return len(waiting)


def _check(wanted: Attachment, found: bucket.Looked) -> None:
    if found.size != wanted.size:
        raise KindError(f"has {found.size} bytes, and {wanted.size} were announced")
    if wanted.sha256 and found.sha256 != wanted.sha256:
        raise KindError("is not the file that was announced: its SHA-256 is another")
    kind = real_type(found.head, found.tail)
    if kind.mime != wanted.mime:
        raise KindError(f"is {kind.mime}, and {wanted.mime} was announced")


def _settled(it: Attachment, **values: Any) -> Attachment:
    """Write what became of it, unless somebody else has meanwhile."""
    Attachment.objects.filter(pk=it.pk, state=it.state).update(**values)
    it.refresh_from_db()
    return it


def _plain(name: str) -> str:
    """Return a file's name without folders and what is no text."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable()).strip()[-120:] or f"{uuid.uuid4()}"
