"""The web front over a made-up AWS behind it: pages, region guard, and errors that clients can read."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from seatrial.emulator.front.web import Front, Page

if TYPE_CHECKING:
    from collections.abc import Callable

REGION = "eu-west-3"


def pages(path: str) -> Page | None:
    return Page({"path": path}, 503) if path == "health" else None


def ask(front: Front, *, path: str = "/", service: str = "", region: str = REGION, **environ: str) -> tuple[int, str]:
    """Send one request; return the status and the body."""
    seen: list[str] = []
    request: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": "POST", **environ}
    if service:
        scope = f"test/20260101/{region}/{service}/aws4_request"
        request["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"

    def start_response(status: str, _headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], object]:
        seen.append(status)
        return lambda _piece: None

    body = b"".join(front(request, start_response))
    return int(seen[0].split()[0]), body.decode()


def opened(answer: Callable[[], bytes]) -> Front:
    """A front whose AWS answers 200 with what ``answer`` returns, or raises what it raises."""
    front = Front(pages, REGION)
    front.open(answering(answer), {"ours": answering(lambda: b"ours")})
    return front


def answering(answer: Callable[[], bytes]) -> Any:
    """An application that answers 200."""

    def aws(_environ: Any, start_response: Any) -> list[bytes]:
        body = answer()
        start_response("200 OK", [])
        return [body]

    return aws


def fail(error: Exception) -> Callable[[], bytes]:
    def answer() -> bytes:
        raise error

    return answer


def test_own_pages_answer_before_aws_does() -> None:
    front = Front(pages, REGION)
    assert ask(front, path="/_seatrial/health") == (503, '{"path": "health"}')
    assert ask(front, path="/_seatrial/nothing")[0] == 404


def test_calls_wait_until_the_engines_are_there() -> None:
    front = Front(pages, REGION)
    answers: list[tuple[int, str]] = []
    caller = threading.Thread(target=lambda: answers.append(ask(front, service="sqs")))
    caller.start()
    front.open(answering(lambda: b"late"), {})
    caller.join(10)
    assert answers == [(200, "late")]


def test_calls_that_wait_too_long_are_told_so() -> None:
    status, body = ask(Front(pages, REGION, patience=0.0), HTTP_X_AMZ_TARGET="Logs.Describe", service="logs")
    assert status == 503
    assert json.loads(body)["__type"] == "ServiceUnavailable"


@pytest.mark.parametrize("service", ["ecs", "cloudformation", "elasticloadbalancing", "rds", "elasticache"])
def test_engines_of_ours_live_in_one_region(service: str) -> None:
    front = opened(lambda: b"yes")
    assert ask(front, service=service) == (200, "yes")
    status, body = ask(front, service=service, region="us-east-1")
    assert status == 400
    assert "lives in eu-west-3" in body


@pytest.mark.parametrize("service", ["s3", "sqs", "iam", "acm", ""])
def test_services_of_moto_live_in_all(service: str) -> None:
    assert ask(opened(lambda: b"yes"), service=service, region="us-east-1") == (200, "yes")


def test_services_of_ours_are_not_asked_of_aws() -> None:
    assert ask(opened(lambda: b"aws"), service="ours") == (200, "ours")


FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8"}
TARGET = {"HTTP_X_AMZ_TARGET": "AmazonEC2ContainerServiceV20141113.ListDaemons"}


def test_unknown_call_is_named_counted_and_not_retried() -> None:
    front = opened(fail(NotImplementedError("The list_daemons action has not been implemented")))
    for _ in range(2):
        status, body = ask(front, service="ecs", **TARGET)
        assert status == 501  # SDKs retry 500, 502, 503 and 504
    assert json.loads(body)["__type"] == "NotImplemented"
    assert "list_daemons" in json.loads(body)["message"]
    assert front.unknown == {"ecs.ListDaemons": 2}


def test_bug_becomes_an_error_without_its_details() -> None:
    front = opened(fail(KeyError("hunter2")))
    status, body = ask(front, service="ecs", **TARGET)
    assert status == 500
    assert "KeyError" in body
    assert "hunter2" not in body


@pytest.mark.parametrize(
    ("environ", "code"), [(FORM, "Error/Code"), ({}, "Code")], ids=["query protocol", "REST and S3"]
)
def test_errors_in_xml(environ: dict[str, str], code: str) -> None:
    _, body = ask(opened(fail(NotImplementedError("<x> & y"))), service="rds", **environ)
    root = ET.fromstring(body)
    assert root.findtext(code) == "NotImplemented"
