"""One request of a viewer answered, step by step as CloudFront does it.

Host → behaviour → protocol → method → cache or origin → error page → what the viewer asked for of it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from seatrial.emulator.edge.cache import Entry
from seatrial.emulator.edge.freshness import error_lifetime, lifetime
from seatrial.emulator.edge.model import Answer, Request
from seatrial.emulator.edge.presentation import accepts_gzip, own_error, preflight, presented, with_policy
from seatrial.emulator.loadbalancing.patterns import path_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.emulator.edge.cache import Cache, Key
    from seatrial.emulator.edge.model import Behaviour, Distribution, Origin

    #: The origin's answer to GET of a path, as asked by a distribution (ARN), for an object that has not the entity
    #: tag that is given.
    Ask = Callable[[Origin, str, str, str | None], Answer]

HIT, MISS, REFRESH, ERROR = "Hit", "Miss", "RefreshHit", "Error"
NOT_ALLOWED = "This distribution is not configured to allow the HTTP request method that was used for this request."

NO_WRITES = Answer(
    405,
    (("Server", "AmazonS3"), ("Content-Type", "application/xml"), ("X-Cache", "Error from cloudfront")),
    b"<Error><Code>MethodNotAllowed</Code></Error>",
)


class Viewers:
    """Answers the viewers of one distribution. ``now`` is in seconds that never go backwards."""

    def __init__(self, ask: Ask, cache: Cache, now: Callable[[], float]) -> None:
        self._ask = ask
        self._cache = cache
        self._now = now

    def answer(self, request: Request, distribution: Distribution, address: str, https_port: int) -> Answer:
        """Return the answer. ``address`` is the distribution's own, ``https_port`` where it speaks TLS."""
        if not distribution.enabled or not _is_ours(request.host, distribution, address):
            return own_error(403, "The distribution does not answer for this host name, or is disabled.")
        behaviour = behaviour_of(distribution, request.path)
        if not request.secure and behaviour.viewers != "allow-all":
            return _insecure(request, behaviour, https_port)
        if request.method not in behaviour.methods:
            return own_error(403, NOT_ALLOWED)
        if request.method == "OPTIONS":
            return preflight(request, behaviour.headers)
        if request.method not in ("GET", "HEAD"):
            return with_policy(NO_WRITES, request, behaviour.headers)
        path = f"/{distribution.root}" if request.path == "/" and distribution.root else request.path
        entry, how = self._object(request, distribution, path)
        return presented(request, behaviour, entry, how, self._now())

    def _object(self, request: Request, distribution: Distribution, path: str) -> tuple[Entry, str]:
        """Return what is at a path, and where it was found."""
        behaviour = behaviour_of(distribution, path)
        key = _key(request, behaviour, path)
        kept = self._cache.get(key)
        if kept is not None and kept.fresh(self._now()):
            return kept, ERROR if kept.error else HIT
        tag = None if kept is None or kept.error else kept.answer.header("ETag")
        answer = self._ask(behaviour.origin, distribution.arn, path, tag)
        now = self._now()
        paths = tuple(dict.fromkeys((_with_query(request.path, request, behaviour), path)))
        if answer.status == 304 and kept is not None:
            entry, how = kept.again(answer, now, lifetime(answer, behaviour.caching) or 0.0), REFRESH
        elif answer.status < 400:
            seconds = lifetime(answer, behaviour.caching)
            entry, how = Entry(answer, paths, now, seconds or 0.0), MISS
            if seconds is None:
                return entry, how
        else:
            entry, how = self._error(request, distribution, answer, paths), ERROR
            if not entry.lifetime:
                return entry, how
        self._cache.put(key, entry)
        return entry, how

    def _error(self, request: Request, distribution: Distribution, answer: Answer, paths: tuple[str, ...]) -> Entry:
        """Return what is answered instead of an error of the origin; if the page for it fails, then that."""
        page = distribution.errors.get(answer.status)
        seconds = error_lifetime(answer, page)
        if page is not None and page.path is not None:
            # For an error page there is no other error page.
            bare = Request("GET", page.path, "", request.headers, request.secure)
            found, _ = self._object(bare, replace(distribution, errors={}), page.path)
            status = found.answer.status if found.error else page.status or answer.status
            answer = Answer(status, found.answer.headers, found.answer.body)
            paths = tuple(dict.fromkeys((*paths, page.path)))
        return Entry(answer, paths, self._now(), seconds, error=True)


def behaviour_of(distribution: Distribution, path: str) -> Behaviour:
    """Return the first behaviour whose pattern fits; the last one fits always."""
    *others, default = distribution.behaviours
    return next((each for each in others if matches(each.pattern, path)), default)


def matches(pattern: str, path: str) -> bool:
    """Whether a path fits a pattern of ``*`` and ``?``, with or without its first slash; case matters."""
    return re.fullmatch(path_pattern(f"/{pattern.lstrip('/')}"), path) is not None


def _key(request: Request, behaviour: Behaviour, path: str) -> Key:
    """Return what tells this answer from others: paths asked for and meant, and what the cache policy names."""
    policy = behaviour.caching
    cookies = [each.strip().partition("=") for each in request.headers.get("cookie", "").split(";") if each.strip()]
    return (
        request.path,
        path,
        _query(request, behaviour),
        tuple(sorted((name, value) for name, value in request.headers.items() if policy.headers.takes(name))),
        tuple(sorted((name, value) for name, _, value in cookies if policy.cookies.takes(name))),
        behaviour.compress and policy.gzip and accepts_gzip(request),
    )


def _query(request: Request, behaviour: Behaviour) -> tuple[tuple[str, str], ...]:
    pairs = parse_qsl(request.query, keep_blank_values=True)
    return tuple((name, value) for name, value in pairs if behaviour.caching.query.takes(name))


def _with_query(path: str, request: Request, behaviour: Behaviour) -> str:
    """Return the path as an invalidation must name it: with the query string where that counts."""
    return f"{path}?{request.query}" if _query(request, behaviour) else path


def _is_ours(host: str, distribution: Distribution, address: str) -> bool:
    if host == address:
        return True
    wildcards = {f"*.{host.partition('.')[2]}", host}
    return any(alias.lower() in wildcards for alias in distribution.aliases)


def _insecure(request: Request, behaviour: Behaviour, https_port: int) -> Answer:
    if behaviour.viewers == "https-only":
        return own_error(403, "This distribution answers over HTTPS only.")
    port = "" if https_port == 443 else f":{https_port}"
    target = request.path + (f"?{request.query}" if request.query else "")
    redirect = Answer(
        301 if request.method in ("GET", "HEAD") else 307,
        (("Location", f"https://{request.host}{port}{target}"), ("X-Cache", "Redirect from cloudfront")),
    )
    return with_policy(redirect, request, behaviour.headers)
