"""The content type of a file, by its name. A table of our own: Python's reads what the machine has installed."""

from __future__ import annotations

from pathlib import PurePosixPath

#: From the registry of media types at iana.org, and the MIME Sniffing and File System standards of the WHATWG.
_TYPES = {
    "aac": "audio/aac",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "css": "text/css",
    "csv": "text/csv",
    "eot": "application/vnd.ms-fontobject",
    "gif": "image/gif",
    "gz": "application/gzip",
    "htm": "text/html",
    "html": "text/html",
    "ico": "image/vnd.microsoft.icon",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript",
    "json": "application/json",
    "jsonld": "application/ld+json",
    "map": "application/json",
    "md": "text/markdown",
    "mjs": "text/javascript",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "ogg": "audio/ogg",
    "otf": "font/otf",
    "pdf": "application/pdf",
    "png": "image/png",
    "rss": "application/rss+xml",
    "svg": "image/svg+xml",
    "ttf": "font/ttf",
    "txt": "text/plain",
    "vtt": "text/vtt",
    "wasm": "application/wasm",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xhtml": "application/xhtml+xml",
    "xml": "application/xml",
    "zip": "application/zip",
}
_UNKNOWN = "application/octet-stream"


def content_type(path: str) -> str:
    """Return the type to serve a file with. Text is UTF-8, as front-end tools write it."""
    found = _TYPES.get(PurePosixPath(path).suffix[1:].lower(), _UNKNOWN)
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def is_page(path: str) -> bool:
    """Whether a file is a page: it names others, so it goes live after them."""
    return content_type(path).startswith(("text/html", "application/xhtml"))
