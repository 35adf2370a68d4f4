"""Files on the page of a part. The browser sends them to the bucket by the API; here they are shown and deleted."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from attachments import desk
from attachments.models import Attachment


@dataclass(frozen=True)
class File:
    """An attachment as it is shown; addresses are empty until it is there."""

    it: Attachment
    url: str
    thumbnail: str


def files(part: int) -> list[File]:
    """Return what is attached to a part; nothing where there is no bucket. At most one query."""
    if not desk.available():
        return []
    waited_for = Attachment.State.EXPECTED
    return [_file(each) for each in Attachment.objects.filter(part_id=part).exclude(state=waited_for)]


@require_POST
@login_required
@permission_required("attachments.delete_attachment", raise_exception=True)
def delete(request: HttpRequest, pk: Any) -> HttpResponse:
    """Delete an attachment."""
    it = get_object_or_404(Attachment.objects.select_related("part"), pk=pk)
    it.delete()
    messages.success(request, f"“{it.name}” is deleted.")
    return HttpResponseRedirect(it.part.get_absolute_url())


def _file(it: Attachment) -> File:
    if it.state != Attachment.State.READY:
        return File(it, "", "")
    return File(it, desk.link(it), desk.link(it, thumbnail=True) if it.is_photo else "")
