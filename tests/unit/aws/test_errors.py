"""What botocore raises, as errors a person can act on."""

from __future__ import annotations

import botocore.exceptions as boto
import pytest

from seatrial.aws.errors import (
    AccessDenied,
    AlreadyExists,
    AwsError,
    NoCredentials,
    NotFound,
    Unavailable,
    Unreachable,
    translated,
)
from seatrial.errors import SeatrialError, UsageError

DENIED = (
    "User: arn:aws:iam::1:user/x is not authorized to perform: ecs:UpdateService on resource: "
    "arn:aws:ecs:eu-west-1:1:service/shop/web because no identity-based policy allows the ecs:UpdateService action"
)


@pytest.mark.parametrize(
    ("code", "message", "kind", "exit_code", "words"),
    [
        (
            "AccessDeniedException",
            DENIED,
            AccessDenied,
            2,
            "ecs:UpdateService on arn:aws:ecs:eu-west-1:1:service/shop/web",
        ),
        ("AccessDenied", "no", AccessDenied, 2, "ecs:RunTask"),
        ("ExpiredTokenException", "expired", NoCredentials, 2, "ExpiredTokenException"),
        ("UnrecognizedClientException", "invalid", NoCredentials, 2, "credentials"),
        ("ParameterNotFound", "", NotFound, 2, "ParameterNotFound"),
        ("ValidationError", "Stack with id x does not exist", NotFound, 2, "does not exist"),
        ("ClientException", "Unable to describe task definition.", NotFound, 2, "task definition"),
        ("ParameterAlreadyExists", "", AlreadyExists, 2, "ParameterAlreadyExists"),
        ("ServerException", "try again", AwsError, 3, "try again"),
        ("ThrottlingException", "Rate exceeded", Unavailable, 3, "Rate exceeded"),
        ("Throttling", "", Unavailable, 3, "ecs:RunTask"),
        ("ValidationError", "1 validation error detected", AwsError, 3, "validation"),
    ],
)
def test_error_answers(code: str, message: str, kind: type[SeatrialError], exit_code: int, words: str) -> None:
    answer = boto.ClientError({"Error": {"Code": code, "Message": message}}, "RunTask")
    with pytest.raises(SeatrialError) as caught, translated("ecs", "RunTask", {"cluster": "shop"}, None):
        raise answer
    assert type(caught.value) is kind
    assert caught.value.exit_code == exit_code
    assert words in str(caught.value)


@pytest.mark.parametrize(("status", "kind"), [(500, Unavailable), (503, Unavailable), (501, AwsError), (400, AwsError)])
def test_an_answer_of_500_and_above_may_be_another_one_later(status: int, kind: type[SeatrialError]) -> None:
    answer = {"Error": {"Code": "ServerException", "Message": "oops"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(SeatrialError) as caught, translated("ecs", "RunTask", {}, None):
        raise boto.ClientError(answer, "RunTask")
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (boto.EndpointConnectionError(endpoint_url="x"), Unreachable),
        (boto.ConnectionClosedError(endpoint_url="x"), Unavailable),
        (boto.ReadTimeoutError(endpoint_url="x"), Unavailable),
        (boto.NoCredentialsError(), NoCredentials),
        (boto.UnknownServiceError(service_name="x", known_service_names=""), AwsError),
    ],
)
def test_what_comes_of_the_network_may_pass(error: Exception, kind: type[SeatrialError]) -> None:
    with pytest.raises(SeatrialError) as caught, translated("ecs", "RunTask", {}, None):
        raise error
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("error", "endpoint", "hint"),
    [
        (boto.NoCredentialsError(), None, "log in"),
        (boto.TokenRetrievalError(provider="sso", error_msg="expired"), None, "log in"),
        (boto.ProfileNotFound(profile="nobody"), None, "AWS_PROFILE"),
        (
            boto.EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
            "http://127.0.0.1:9",
            "seatrial emulator start",
        ),
        (boto.EndpointConnectionError(endpoint_url="https://ecs"), None, "network"),
    ],
)
def test_what_lies_with_the_caller_is_a_usage_error_with_a_hint(
    error: Exception, endpoint: str | None, hint: str
) -> None:
    with pytest.raises(UsageError) as caught, translated("ecs", "RunTask", {}, endpoint):
        raise error
    assert hint in (caught.value.hint or "")


def test_the_permission_is_named_in_the_hint() -> None:
    with pytest.raises(AccessDenied) as caught, translated("ecs", "UpdateService", {}, None):
        raise boto.ClientError({"Error": {"Code": "AccessDeniedException", "Message": DENIED}}, "UpdateService")
    assert caught.value.action == "ecs:UpdateService"
    assert caught.value.resource == "arn:aws:ecs:eu-west-1:1:service/shop/web"
    assert "seatrial plan" in (caught.value.hint or "")


def test_no_value_of_a_parameter_is_told() -> None:
    answer = boto.ClientError({"Error": {"Code": "ServerException", "Message": "oops"}}, "PutParameter")
    with pytest.raises(AwsError) as caught, translated("ssm", "PutParameter", {"Name": "/a", "Value": "s3cret"}, None):
        raise answer
    assert "s3cret" not in str(caught.value)
    assert "/a" in str(caught.value)
