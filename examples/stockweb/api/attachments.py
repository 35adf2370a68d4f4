"""``/parts/1/attachments``: datasheets and photos.

A file goes from the browser to S3 itself: announce it, post it with the form that comes back, say that it is complete.
Addresses of files are good for some minutes.
"""

import logging
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Resource, described, given
from api.errors import Problem, problem_of
from api.parts import no_part
from attachments import bucket, desk
from attachments.kinds import KINDS
from attachments.models import Attachment
from parts.models import Part

logger = logging.getLogger(__name__)


@problem_of.register
def _(error: desk.Wrong) -> Problem:
    return Problem(400, "invalid", f"{error}")


@problem_of.register
def _(error: desk.Refused) -> Problem:
    return Problem(409, "not-possible", f"{error}")


@problem_of.register
def _(error: bucket.BucketError) -> Problem:
    logger.error("attachments: %s", error)
    return Problem(503, "no-bucket", "the place for files does not answer; try again", headers={"Retry-After": "10"})


class AttachmentBody(serializers.Serializer):
    """A datasheet or a photo of a part."""

    id = serializers.UUIDField()
    part = serializers.IntegerField()
    name = serializers.CharField()
    type = serializers.ChoiceField(list(KINDS))
    size = serializers.IntegerField()
    state = serializers.ChoiceField(Attachment.State.choices)
    error = serializers.CharField(allow_blank=True, help_text="why it was refused")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    created = serializers.DateTimeField()
    url = serializers.URLField(allow_null=True, help_text="where it is, for some minutes")
    thumbnail_url = serializers.URLField(allow_null=True, help_text="of a photo")


class FormBody(serializers.Serializer):
    """Where a file is posted to, as ``multipart/form-data``: these fields, and then the file as ``file``."""

    url = serializers.URLField()
    fields_ = serializers.DictField(child=serializers.CharField())

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; ``fields`` itself is a word of the serializer's own."""
        found = super().get_fields()
        return {name.rstrip("_"): field for name, field in found.items()}


class AnnouncedBody(serializers.Serializer):
    """An attachment that is expected, and how to send it."""

    attachment = AttachmentBody()
    upload = FormBody()


class AttachmentInput(serializers.Serializer):
    """A file that is to be attached."""

    name = serializers.CharField(max_length=200)
    type = serializers.ChoiceField(list(KINDS))
    size = serializers.IntegerField(min_value=1, max_value=desk.LARGEST)
    sha256 = serializers.RegexField(r"^[0-9a-fA-F]{64}$", required=False, help_text="in hexadecimal; checked if told")


class OfPart(Resource):
    """The attachments of a part."""

    needs = {"POST": "attachments.add_attachment"}

    @described("listAttachments", AttachmentBody(many=True))
    def get(self, _request: Request, pk: int) -> Response:
        """List what is attached to a part."""
        _known(pk)
        return Response([_body(each) for each in Attachment.objects.filter(part=pk)])

    @described(
        "createAttachment",
        AnnouncedBody,
        status=201,
        body=AttachmentInput,
        refuses=[409, 503],
        examples=[
            OpenApiExample(
                "a datasheet", {"name": "BC547.pdf", "type": "application/pdf", "size": 48213}, request_only=True
            )
        ],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Announce a file; what comes back says where to post it, within ten minutes."""
        _known(pk)
        wanted = given(AttachmentInput, request)
        announced = desk.Announced(wanted["name"], wanted["type"], wanted["size"], wanted.get("sha256", ""))
        it, form = desk.announce(pk, announced, user=request.user.pk)
        return Response({"attachment": _body(it), "upload": {"url": form.url, "fields": form.fields}}, status=201)


class Complete(Resource):
    """Saying that a file was sent."""

    needs = {"POST": "attachments.add_attachment"}

    @described("completeAttachment", AttachmentBody, refuses=[409, 503])
    def post(self, _request: Request, pk: Any) -> Response:
        """Have a file looked at that was posted. It is taken or refused, by its `state`; a photo is drawn first."""
        return Response(_body(desk.complete(_there(pk))))


class One(Resource):
    """An attachment."""

    needs = {"DELETE": "attachments.delete_attachment"}

    @described("getAttachment", AttachmentBody)
    def get(self, _request: Request, pk: Any) -> Response:
        """Show one attachment."""
        return Response(_body(_there(pk)))

    @described("deleteAttachment", status=204)
    def delete(self, _request: Request, pk: Any) -> Response:
        """Delete an attachment, and its file."""
        _there(pk).delete()
        return Response(status=204)


def _known(part: int) -> None:
    if not Part.objects.filter(pk=part).exists():
        raise no_part(part)


def _there(pk: Any) -> Attachment:
    it = Attachment.objects.filter(pk=pk).first()
    if it is None:
        raise Http404(f"there is no attachment {pk}")
    return it


def _body(it: Attachment) -> dict[str, Any]:
    there = it.state == Attachment.State.READY and desk.available()
    columns = ("id", "name", "size", "state", "error", "width", "height", "created")
    return {
        **{name: getattr(it, name) for name in columns},
        "part": it.part_id,
        "type": it.mime,
        "url": desk.link(it) if there else None,
        "thumbnail_url": desk.link(it, thumbnail=True) if there and it.is_photo else None,
    }
