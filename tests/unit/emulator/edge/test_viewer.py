"""What viewers are answered, step by step, on a clock that stands still."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from seatrial.emulator.edge.cache import covers
from seatrial.emulator.edge.distributions import DEPLOYMENT, INVALIDATION
from seatrial.emulator.edge.viewer import matches
from tests.unit.emulator.edge.support import ADDRESS, CERTIFICATE, Front, behaviour, cache_policy, config, listed

FALLBACK = {"ErrorCode": 403, "ResponseCode": "200", "ResponsePagePath": "/index.html", "ErrorCachingMinTTL": 0}
LONG = "words and words " * 100


@pytest.fixture
def front() -> Front:
    """A distribution with the fallback of a single-page application, and a page."""
    it = Front()
    it.put("/index.html", "home")
    it.serve(CustomErrorResponses=listed(FALLBACK))
    return it


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*", "/anything/at/all", True),
        ("/api/*", "/api/", True),
        ("api/*", "/api/a/b", True),
        ("/api/*", "/API/x", False),
        ("/a?c", "/abc", True),
        ("/a?c", "/ac", False),
        ("*.jpg", "/a/b.jpg", True),
        ("*.jpg", "/a/b.jpeg", False),
        ("/a.c", "/abc", False),
    ],
)
def test_path_patterns(pattern: str, path: str, *, fits: bool) -> None:
    assert matches(pattern, path) is fits


@pytest.mark.parametrize(
    ("invalidated", "path", "gone"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b", False),
        ("/a", "/A", False),
        ("/a*", "/a/b", True),
        ("/*", "/", True),
        ("/*.js", "/a.js", False),
    ],
)
def test_a_star_at_the_end_of_an_invalidation_stands_for_anything(invalidated: str, path: str, *, gone: bool) -> None:
    assert covers(invalidated, path) is gone


def test_the_root_is_the_default_root_object_and_no_other_folder_has_one(front: Front) -> None:
    assert front.text("/") == "home"
    front.change()
    front.clock.seconds += DEPLOYMENT
    assert front.get("/folder/").status == 403
    assert front.asked[-1] == "/live/folder/"


def test_what_is_fresh_is_not_asked_for_again_and_says_its_age(front: Front) -> None:
    assert front.found("/index.html") == "Miss"
    front.clock.seconds += 7
    hit = front.get("/index.html")
    assert (hit.header("X-Cache"), hit.header("Age")) == ("Hit from cloudfront", "7")
    assert front.asked == ["/live/index.html"]


def test_what_is_not_fresh_any_more_is_asked_for_by_its_tag(front: Front) -> None:
    front.put("/news", "old", Cache_Control="max-age=5")
    assert front.text("/news") == "old"
    front.clock.seconds += 5
    assert front.found("/news") == "RefreshHit"
    front.clock.seconds += 4
    assert front.found("/news") == "Hit"
    front.put("/news", "new")
    front.clock.seconds += 1
    assert (front.found("/news"), front.text("/news")) == ("Miss", "new")


def test_what_is_confirmed_has_the_headers_of_the_confirmation(front: Front) -> None:
    front.put("/news", "same", Cache_Control="max-age=5")
    front.get("/news")
    front.put("/news", "same", Cache_Control="max-age=50", Content_Type="text/plain")
    front.clock.seconds += 5
    again = front.get("/news")
    assert (again.header("X-Cache"), again.header("Content-Type")) == ("RefreshHit from cloudfront", "text/plain")
    front.clock.seconds += 49
    assert (front.found("/news"), front.text("/news")) == ("Hit", "same")


def test_what_may_not_be_kept_is_not() -> None:
    front = Front()
    policy = front.call("create_cache_policy", CachePolicyConfig=cache_policy())["CachePolicy"]["Id"]
    front.put("/secret", "one", Cache_Control="no-store")
    front.serve(DefaultCacheBehavior=behaviour(CachePolicyId=policy))
    assert [front.found("/secret"), front.found("/secret")] == ["Miss", "Miss"]


def test_an_invalidation_takes_effect_when_it_is_completed(front: Front) -> None:
    front.get("/index.html")
    front.put("/index.html", "new home")
    made = front.invalidate("/index.html")
    assert made["Status"] == "InProgress"
    front.clock.seconds += INVALIDATION - 1
    assert front.text("/index.html") == "home"
    front.clock.seconds += 1
    assert front.call("get_invalidation", DistributionId=front.id, Id=made["Id"])["Invalidation"]["Status"] == (
        "Completed"
    )
    assert (front.found("/index.html"), front.text("/index.html")) == ("Miss", "new home")


def test_the_root_is_only_invalidated_together_with_its_object(front: Front) -> None:
    front.get("/")
    front.put("/index.html", "new home")
    front.invalidated("/index.html")
    front.invalidated("/")
    assert front.text("/") == "home"
    front.invalidated("/", "/index.html")
    assert front.text("/") == "new home"


def test_a_path_without_a_file_gets_the_fallback(front: Front) -> None:
    answer = front.get("/deep/link")
    assert (answer.status, answer.body) == (200, b"home")
    assert answer.header("X-Cache") == "Error from cloudfront"
    front.put("/deep/link", "a page by now")
    assert front.text("/deep/link") == "a page by now"


def test_an_error_is_kept_for_its_minimum() -> None:
    front = Front()
    front.put("/index.html", "home")
    front.serve(CustomErrorResponses=listed(FALLBACK | {"ErrorCachingMinTTL": 30}))
    front.get("/deep/link")
    front.put("/deep/link", "a page by now")
    front.clock.seconds += 29
    assert front.text("/deep/link") == "home"
    front.clock.seconds += 1
    assert front.text("/deep/link") == "a page by now"


def test_a_fallback_that_is_missing_too_is_the_error() -> None:
    front = Front()
    front.serve(CustomErrorResponses=listed(FALLBACK))
    assert front.get("/deep/link").status == 403
    assert front.get("/").status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_methods_that_are_not_allowed_are_refused(front: Front, method: str) -> None:
    assert front.get("/index.html", method).status == 403
    assert front.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_bucket_takes_no_writes_from_viewers(method: str) -> None:
    front = Front()
    front.put("/index.html", "home")
    front.serve(
        DefaultCacheBehavior=behaviour(
            AllowedMethods=listed("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
        )
    )
    assert front.get("/index.html", method).status == 405
    assert front.asked == []


def test_the_behaviour_whose_pattern_fits_first_decides() -> None:
    front = Front()
    front.put("/api/a", "a")
    rest = [behaviour(PathPattern="/api/*", ViewerProtocolPolicy="https-only"), behaviour(PathPattern="*")]
    front.serve(CacheBehaviors=listed(*rest), DefaultCacheBehavior=behaviour(ViewerProtocolPolicy="redirect-to-https"))
    assert front.get("/api/a").status == 403
    assert front.get("/other").status == 403
    front.secure = True
    assert front.get("/api/a").status == 200


def test_http_is_redirected() -> None:
    front = Front()
    front.serve(DefaultCacheBehavior=behaviour(ViewerProtocolPolicy="redirect-to-https"))
    answer = front.get("/a?b=c", host=f"{ADDRESS}:8080")
    assert (answer.status, answer.header("Location")) == (301, f"https://{ADDRESS}/a?b=c")


def test_a_distribution_answers_for_itself_and_its_aliases_only() -> None:
    front = Front()
    front.put("/index.html", "home")
    front.serve(
        Aliases=listed("www.shop.example", "*.shops.example"), ViewerCertificate={"ACMCertificateArn": CERTIFICATE}
    )
    asked = {
        host: front.get("/", host=host).status
        for host in (ADDRESS, "www.shop.example", "WWW.shop.example:8080", "a.shops.example", "shops.example", "x.y")
    }
    assert list(asked.values()) == [200, 200, 200, 200, 403, 403]


def test_a_disabled_distribution_answers_nobody(front: Front) -> None:
    front.change(Enabled=False)
    assert front.get("/").status == 200  # until that is deployed
    front.clock.seconds += DEPLOYMENT
    assert front.get("/").status == 403


def test_a_query_string_counts_only_where_the_policy_says_so() -> None:
    front = Front()
    front.put("/a", "a")
    key = cache_policy()["ParametersInCacheKeyAndForwardedToOrigin"]
    own = key | {"QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": listed("v")}}
    policy = cache_policy(ParametersInCacheKeyAndForwardedToOrigin=own)
    id_ = front.call("create_cache_policy", CachePolicyConfig=policy)["CachePolicy"]["Id"]
    front.serve(DefaultCacheBehavior=behaviour(CachePolicyId=id_))
    assert [front.found(path) for path in ("/a?v=1", "/a?v=1&w=2", "/a?v=2", "/a")] == ["Miss", "Hit", "Miss", "Miss"]


@pytest.mark.parametrize(
    ("headers", "size", "kind", "compressed"),
    [
        ({"accept_encoding": "gzip, br"}, 1, "text/html", True),
        ({"accept_encoding": "*"}, 1, "application/javascript", True),
        ({"accept_encoding": "gzip;q=0"}, 1, "text/html", False),
        ({}, 1, "text/html", False),
        ({"accept_encoding": "gzip"}, 1, "image/png", False),
        ({"accept_encoding": "gzip"}, 0, "text/html", False),
        ({"accept_encoding": "gzip", "range": "bytes=0-9"}, 1, "text/html", False),
    ],
)
def test_compression(headers: dict[str, str], size: int, kind: str, *, compressed: bool) -> None:
    front = Front()
    front.put("/a", LONG if size else "short", Content_Type=kind)
    front.serve(DefaultCacheBehavior=behaviour(Compress=True))
    answer = front.get("/a", **headers)
    assert (answer.header("Content-Encoding") == "gzip") is compressed
    if compressed:
        assert gzip.decompress(answer.body).decode() == LONG
        assert (answer.header("ETag") or "").startswith("W/")
        assert front.get("/a", **headers, if_none_match=answer.header("ETag") or "").status == 304


def test_a_viewer_that_has_it_already_gets_304(front: Front) -> None:
    front.put("/a", "a", Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT")
    tag = front.get("/a").header("ETag") or ""
    for headers in ({"if_none_match": f'"x", {tag}'}, {"if_modified_since": "Thu, 01 Jan 2026 00:00:00 GMT"}):
        answer = front.get("/a", **headers)
        assert (answer.status, answer.body, answer.header("ETag")) == (304, b"", tag)
    assert front.get("/a", if_none_match='"x"', if_modified_since="Thu, 01 Jan 2026 00:00:00 GMT").status == 200


@pytest.mark.parametrize(
    ("asked", "status", "body", "shown"),
    [
        ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=5-99", 206, "56789", "bytes 5-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=0-1,3-4", 200, "0123456789", None),
        ("lines=1-2", 200, "0123456789", None),
    ],
)
def test_ranges(front: Front, asked: str, status: int, body: str | None, shown: str | None) -> None:
    front.put("/a", "0123456789")
    answer = front.get("/a", range=asked)
    assert (answer.status, answer.header("Content-Range")) == (status, shown)
    assert body is None or answer.body.decode() == body


def headers_policy(front: Front, **policy: Any) -> dict[str, Any]:
    made = front.call("create_response_headers_policy", ResponseHeadersPolicyConfig={"Name": "own", **policy})
    return behaviour(ResponseHeadersPolicyId=made["ResponseHeadersPolicy"]["Id"])


def test_headers_are_added_replaced_and_taken_out() -> None:
    front = Front()
    front.put("/a", "a", X_Powered_By="luck", X_Frame_Options="SAMEORIGIN", Referrer_Policy="origin")
    front.serve(
        DefaultCacheBehavior=headers_policy(
            front,
            SecurityHeadersConfig={
                "FrameOptions": {"FrameOption": "DENY", "Override": True},
                "ReferrerPolicy": {"ReferrerPolicy": "no-referrer", "Override": False},
                "StrictTransportSecurity": {"AccessControlMaxAgeSec": 9, "IncludeSubdomains": True, "Override": True},
                "XSSProtection": {"Protection": True, "ModeBlock": True, "Override": True},
                "ContentSecurityPolicy": {"ContentSecurityPolicy": "default-src 'self'", "Override": True},
            },
            CustomHeadersConfig=listed({"Header": "X-Site", "Value": "shop", "Override": True}),
            RemoveHeadersConfig=listed({"Header": "X-Powered-By"}),
        )
    )
    answer = front.get("/a")
    assert {name: answer.header(name) for name in ("X-Frame-Options", "Referrer-Policy", "X-Site", "X-Powered-By")} == {
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "origin",
        "X-Site": "shop",
        "X-Powered-By": None,
    }
    assert answer.header("Strict-Transport-Security") == "max-age=9; includeSubDomains"
    assert answer.header("X-XSS-Protection") == "1; mode=block"
    assert answer.header("Content-Security-Policy") == "default-src 'self'"


def test_other_origins() -> None:
    front = Front()
    front.put("/a", "a")
    cors = {
        "AccessControlAllowOrigins": listed("https://*.shop.example"),
        "AccessControlAllowMethods": listed("GET"),
        "AccessControlAllowHeaders": listed("X-Token"),
        "AccessControlAllowCredentials": True,
        "AccessControlMaxAgeSec": 60,
        "OriginOverride": True,
    }
    methods = listed("GET", "HEAD", "OPTIONS")
    own = headers_policy(front, CorsConfig=cors) | {"AllowedMethods": methods, "Compress": True}
    front.serve(DefaultCacheBehavior=own)
    friend, stranger = "https://www.shop.example", "https://shop.invalid"
    assert front.get("/a", origin=friend).header("Access-Control-Allow-Origin") == friend
    front.put("/long", LONG)
    assert [
        value for name, value in front.get("/long", origin=friend, accept_encoding="gzip").headers if name == "Vary"
    ] == ["Accept-Encoding", "Origin"]
    assert front.get("/a", origin=stranger).header("Access-Control-Allow-Origin") is None
    before = front.get("/a", "OPTIONS", origin=friend, access_control_request_method="GET")
    assert (before.status, before.header("Access-Control-Max-Age")) == (200, "60")
    assert front.get("/a", "OPTIONS", origin=stranger).status == 403


def test_older_settings_of_a_behaviour_stand_for_a_policy() -> None:
    front = Front()
    front.put("/a", "a")
    old = {name: value for name, value in behaviour().items() if name != "CachePolicyId"}
    times = {"MinTTL": 0, "DefaultTTL": 5, "MaxTTL": 5}
    front.serve(DefaultCacheBehavior=old | times | {"ForwardedValues": {"QueryString": True}})
    assert [front.found(path) for path in ("/a?x=1", "/a?x=2", "/a?x=1")] == ["Miss", "Miss", "Hit"]
    front.clock.seconds += 5
    assert front.found("/a?x=1") == "RefreshHit"


def test_a_changed_policy_holds_when_it_is_deployed() -> None:
    front = Front()
    front.put("/a", "a")
    made = front.call("create_cache_policy", CachePolicyConfig=cache_policy())
    id_ = made["CachePolicy"]["Id"]
    front.serve(DefaultCacheBehavior=behaviour(CachePolicyId=id_))
    short = cache_policy(DefaultTTL=1, MaxTTL=1)
    front.call("update_cache_policy", Id=id_, IfMatch=made["ETag"], CachePolicyConfig=short)
    before = front.distributions.at_the_edge(front.id)
    front.clock.seconds += DEPLOYMENT
    after = front.distributions.at_the_edge(front.id)
    assert before is not None
    assert after is not None
    assert [each.behaviours[-1].caching.maximum for each in (before, after)] == [7200, 1]


def test_nobody_is_answered_before_the_first_deployment() -> None:
    front = Front()
    front.id = front.call("create_distribution", DistributionConfig=config())["Distribution"]["Id"]
    assert front.distributions.at_the_edge(front.id) is None
