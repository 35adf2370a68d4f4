"""What a file really is, by its first and last bytes and never by what its sender says. Pure.

A file that is two things at once (a *polyglot*: a picture that is also a page or an archive) is refused where it can be
seen. Photos are drawn anew besides, so nothing of the file that was sent is left in them.
"""

import re
from dataclasses import dataclass

#: Bytes from either end that :func:`real_type` wants to see, or all where there are fewer.
SEEN = 2048
#: A page or a script in a place where a browser that guesses would find it (WHATWG, "MIME Sniffing").
_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|iframe|svg|\?xml|\?php|img|style|table)", re.IGNORECASE)
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf")


class KindError(ValueError):
    """The file is not what it should be; the message is for whoever sent it."""


@dataclass(frozen=True)
class Kind:
    """A type of file that may be attached: its MIME type, its ending, and Pillow's name for it where it is a photo."""

    mime: str
    ending: str
    picture: str = ""


KINDS = {
    kind.mime: kind
    for kind in (
        Kind("application/pdf", "pdf"),
        Kind("image/jpeg", "jpg", "JPEG"),
        Kind("image/png", "png", "PNG"),
        Kind("image/webp", "webp", "WEBP"),
    )
}


def real_type(head: bytes, tail: bytes) -> Kind:
    """Return what a file is. Raises :class:`KindError` for what is nothing of these, or something else besides."""
    mime = _by_first_bytes(head)
    if mime is None:
        raise KindError("is neither a PDF nor a JPEG, PNG or WebP picture")
    if _MARKUP.search(head[:SEEN]) or any(each in tail[-SEEN:] for each in _ARCHIVES):
        raise KindError("is something else besides: a page or an archive hides in it")
    if mime == "application/pdf" and b"%%EOF" not in tail[-SEEN:]:
        raise KindError("is a PDF without its end")
    return KINDS[mime]


def _by_first_bytes(head: bytes) -> str | None:
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None
