"""An answer made fit for one viewer: conditions, ranges, compression, and the headers that CloudFront adds. Pure."""

from __future__ import annotations

import gzip
import re
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from seatrial.emulator.edge.model import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.emulator.edge.cache import Entry
    from seatrial.emulator.edge.model import Behaviour, Cors, Headers, HeadersPolicy, Request

#: Sizes that CloudFront compresses (developer guide, "Serve compressed files").
SMALLEST, LARGEST = 1_000, 10_000_000
_COMPRESSIBLE = re.compile(
    r"text/.*|font/(otf|ttf|opentype)|image/(svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)|"
    r"application/(.*\+(json|xml)|dash\+xml|eot|font|font-sfnt|javascript|json|opentype|otf|pdf|pkcs7-mime|protobuf|"
    r"rss\+xml|truetype|ttf|vnd\.apple\.mpegurl|vnd\.mapbox-vector-tile|vnd\.ms-fontobject|wasm|xhtml\+xml|xml|"
    r"x-font-opentype|x-font-truetype|x-font-ttf|x-httpd-cgi|x-javascript|x-mpegurl|x-opentype|x-otf|x-perl|x-ttf)"
)
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_HTML = "text/html"


def presented(request: Request, behaviour: Behaviour, entry: Entry, how: str, now: float) -> Answer:
    """Return what the viewer gets of what was found ``how`` (``Hit``, ``Miss``, ``RefreshHit`` or ``Error``)."""
    answer = entry.answer
    if not entry.error:
        answer = _compressed(answer) if _compresses(request, behaviour, answer) else answer
        answer = _not_modified(request, answer) or _ranged(request, answer)
    told = [("X-Cache", f"{how} from cloudfront"), ("Via", "1.1 edge.cloudfront.net (CloudFront)")]
    if how in ("Hit", "RefreshHit") or (entry.error and now - entry.at >= 1):
        told.append(("Age", str(int(now - entry.at))))
    answer = Answer(answer.status, (*answer.headers, *told), answer.body)
    return with_policy(answer, request, behaviour.headers)


def own_error(status: int, reason: str) -> Answer:
    """Return the page that CloudFront itself sends."""
    title = "<title>ERROR: The request could not be satisfied</title>"
    page = f"<html><head>{title}</head><body><h1>{status} ERROR</h1><p>{reason}</p></body></html>\n"
    headers = (("Server", "CloudFront"), ("Content-Type", _HTML), ("X-Cache", "Error from cloudfront"))
    return Answer(status, headers, page.encode())


def accepts_gzip(request: Request) -> bool:
    """Whether the viewer takes gzip."""
    for part in request.headers.get("accept-encoding", "").split(","):
        coding, _, weight = part.strip().partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def with_policy(answer: Answer, request: Request, policy: HeadersPolicy) -> Answer:
    """Return the answer with the headers that a response headers policy adds, and without those it takes out."""
    headers = [(name, value) for name, value in answer.headers if name.lower() not in policy.removed]
    added = [(each.name, each.value, each.override) for each in policy.added]
    if policy.cors is not None and (cors := _cors(request, policy.cors)):
        said = any(name.lower().startswith("access-control-") for name, _ in headers)
        if policy.cors.override or not said:
            headers = [each for each in headers if not each[0].lower().startswith("access-control-")]
            added += [(name, value, True) for name, value in cors]
    for name, value, override in added:
        there = any(each.lower() == name.lower() for each, _ in headers)
        if override or not there:
            kept_too = name == "Vary"  # of which there may be several
            headers = [each for each in headers if kept_too or each[0].lower() != name.lower()]
            headers.append((name, value))
    return Answer(answer.status, tuple(headers), answer.body)


def preflight(request: Request, policy: HeadersPolicy) -> Answer:
    """Return the answer to OPTIONS, which a bucket without rules of its own for CORS refuses."""
    answer = Answer(403, (("Server", "AmazonS3"), ("X-Cache", "Error from cloudfront")))
    if policy.cors is not None and _cors(request, policy.cors):
        answer = Answer(200, (("Server", "CloudFront"), ("X-Cache", "LambdaGeneratedResponse from cloudfront")))
    return with_policy(answer, request, policy)


def _cors(request: Request, cors: Cors) -> Headers:
    """Return the CORS headers for a request of another origin; none where its origin is not allowed."""
    origin = request.headers.get("origin")
    if origin is None or not any(fnmatchcase(origin, each) for each in _origins(cors.origins)):
        return ()
    everyone = cors.origins == ("*",) and not cors.credentials
    found = [("Access-Control-Allow-Origin", "*" if everyone else origin)]
    if not everyone:
        found.append(("Vary", "Origin"))
    if cors.credentials:
        found.append(("Access-Control-Allow-Credentials", "true"))
    if cors.exposed:
        found.append(("Access-Control-Expose-Headers", ", ".join(cors.exposed)))
    if request.method == "OPTIONS":
        found.append(("Access-Control-Allow-Methods", ", ".join(cors.methods)))
        found.append(("Access-Control-Allow-Headers", ", ".join(cors.headers)))
        if cors.max_age is not None:
            found.append(("Access-Control-Max-Age", str(cors.max_age)))
    return tuple(found)


def _origins(patterns: Iterable[str]) -> Iterable[str]:
    """Return patterns of whole origins: one without a scheme is good for both."""
    for each in patterns:
        yield from (each,) if "://" in each or each == "*" else (f"http://{each}", f"https://{each}")


def _compresses(request: Request, behaviour: Behaviour, answer: Answer) -> bool:
    kind = (answer.header("Content-Type") or "").partition(";")[0].strip().lower()
    return (
        behaviour.compress
        and behaviour.caching.gzip
        and answer.status == 200
        and "range" not in request.headers
        and accepts_gzip(request)
        and answer.header("Content-Encoding") is None
        and SMALLEST <= len(answer.body) <= LARGEST
        and _COMPRESSIBLE.fullmatch(kind) is not None
    )


def _compressed(answer: Answer) -> Answer:
    """Return it in gzip, whose entity tag is weak: the bytes are others."""
    headers = []
    for name, value in answer.headers:
        if name.lower() == "etag" and not value.startswith("W/"):
            headers.append((name, f"W/{value}"))
        elif name.lower() != "accept-ranges":
            headers.append((name, value))
    headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    return Answer(answer.status, tuple(headers), gzip.compress(answer.body, 6, mtime=0))


def _not_modified(request: Request, answer: Answer) -> Answer | None:
    """Return 304 where the viewer has it already, None otherwise."""
    tag, modified = answer.header("ETag"), answer.header("Last-Modified")
    asked = request.headers.get("if-none-match")
    if asked is not None:
        tags = {each.strip().removeprefix("W/") for each in asked.split(",")}
        unchanged = tag is not None and ("*" in tags or tag.removeprefix("W/") in tags)
    else:
        unchanged = _since(request.headers.get("if-modified-since"), modified)
    if not unchanged or answer.status != 200:
        return None
    left = ("content-type", "content-length", "content-encoding")
    return Answer(304, tuple(each for each in answer.headers if each[0].lower() not in left))


def _since(asked: str | None, modified: str | None) -> bool:
    if asked is None or modified is None:
        return False
    try:
        return parsedate_to_datetime(modified) <= parsedate_to_datetime(asked)
    except (TypeError, ValueError):
        return False


def _ranged(request: Request, answer: Answer) -> Answer:
    """Return the part that is asked for; all of it where several parts are, as S3 has it."""
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if asked is None or asked.groups() == ("", "") or answer.status != 200:
        return answer
    condition, size = request.headers.get("if-range"), len(answer.body)
    if condition is not None and condition not in (answer.header("ETag"), answer.header("Last-Modified")):
        return answer
    first, last = asked.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        unsatisfied = (("Content-Range", f"bytes */{size}"), ("Content-Type", "application/xml"))
        return Answer(416, unsatisfied, b"<Error><Code>InvalidRange</Code></Error>")
    part = ("Content-Range", f"bytes {start}-{end}/{size}")
    return Answer(206, (*answer.headers, part), answer.body[start : end + 1])
