"""What botocore raises, as errors a person can act on.

::

    AwsError              3   AWS refused or could not be understood
    ├── AccessDenied      2   the caller lacks a permission; the message names the action and the resource
    ├── NotFound          2   the thing that was named does not exist
    ├── AlreadyExists     2   a thing of that name exists already
    └── Unavailable       3   AWS was asked too often, failed inside, or the connection broke
    UsageError
    ├── NoCredentials     2   no, wrong or expired credentials
    └── Unreachable       2   no way to the endpoint

:func:`translated` is used by every call of :class:`seatrial.aws.session.Client`. Whoever changes things decides what
an error in the middle means; the exit codes here are those of a read-only command.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seatrial.errors import SeatrialError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: "User: arn:... is not authorized to perform: ecs:UpdateService on resource: arn:... because no identity-based ..."
#: (IAM user guide, "Troubleshoot access denied error messages").
_DENIED = re.compile(r"perform:? (?P<action>[\w-]+:\w+)(?: on resource:? (?P<resource>\S+))?")
_DENIED_CODES = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException")
_CREDENTIAL_CODES = (
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "AuthFailure",
)
#: "Error handling" in botocore's guide of retries; services name it differently.
_THROTTLING_CODES = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "SlowDown",
    "TooManyInvalidationsInProgress",
)
_NOT_IMPLEMENTED = 501
_EXISTS_CODES = ("ParameterAlreadyExists", "AlreadyExistsException", "ResourceAlreadyExistsException")
_LOG_IN = "log in again (aws sso login, or new keys) and choose the profile with AWS_PROFILE"


class AwsError(SeatrialError):
    """AWS refused a call. ``code`` is AWS's own error code and ``action`` the IAM-style name of the call."""

    def __init__(self, message: str, *, code: str, action: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.action = action


class AccessDenied(AwsError):
    """The caller lacks a permission. ``resource`` is the ARN that AWS named, if it named one."""

    exit_code = 2

    def __init__(self, message: str, *, code: str, action: str, resource: str | None) -> None:
        where = f" on {resource}" if resource else ""
        super().__init__(
            f"AWS denies {action}{where}: {message}",
            code=code,
            action=action,
            hint=f"allow {action}{where}; `seatrial plan ENVIRONMENT --policy` prints all that a release needs",
        )
        self.resource = resource


class NotFound(AwsError):
    """The thing that was named does not exist."""

    exit_code = 2


class AlreadyExists(AwsError):
    """A thing of that name exists already."""

    exit_code = 2


class Unavailable(AwsError):
    """AWS was asked too often, failed inside, or the connection broke: the same call may be answered later."""


class NoCredentials(UsageError):
    """There are no credentials, or AWS does not accept them (any more)."""


class Unreachable(UsageError):
    """There is no way to the endpoint."""


#: What may be over in a while.
PASSING = (Unavailable, NoCredentials, Unreachable)


@contextmanager
def translated(service: str, operation: str, parameters: Mapping[str, Any], endpoint: str | None) -> Iterator[None]:
    """Turn what botocore raises inside into the errors above.

    ``service`` is the IAM prefix (``ecs``), ``operation`` the API's name (``UpdateService``), ``endpoint`` the
    emulator's address or None for AWS itself. Never puts a parameter's value into a message, except its name fields.
    """
    import botocore.exceptions as boto

    action = f"{service}:{operation}"
    try:
        yield
    except boto.ClientError as error:
        raise from_code(error.response["Error"], action, parameters, status=_status(error.response)) from error
    except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError) as error:
        raise NoCredentials("there are no usable AWS credentials: " + _one_line(error), hint=_LOG_IN) from error
    except (boto.TokenRetrievalError, boto.SSOError) as error:
        raise NoCredentials("the AWS login has expired: " + _one_line(error), hint=_LOG_IN) from error
    except boto.ProfileNotFound as error:
        raise UsageError(_one_line(error), hint="AWS_PROFILE names a profile of ~/.aws/config") from error
    except boto.EndpointConnectionError as error:
        raise Unreachable(
            f"cannot reach {endpoint or 'AWS'} for {action}: {_one_line(error)}",
            hint="run `seatrial emulator start`" if endpoint else "check the network and the region",
        ) from error
    except boto.ParamValidationError as error:
        raise AwsError(f"{action} was called wrongly: {_one_line(error)}", code="ParamValidation", action=action) from (
            error
        )
    except boto.HTTPClientError as error:
        raise Unavailable(
            f"{action} got no answer: {_one_line(error)}", code=type(error).__name__, action=action
        ) from (error)
    except boto.BotoCoreError as error:
        raise AwsError(f"{action} failed: {_one_line(error)}", code=type(error).__name__, action=action) from error


def from_code(
    error: Mapping[str, Any], action: str, parameters: Mapping[str, Any], *, status: int = 400
) -> SeatrialError:
    """Return the domain error of one error answer (``{"Code": ..., "Message": ...}``) with that HTTP status."""
    code, message = str(error.get("Code", "Unknown")), str(error.get("Message", "")).strip()
    if code in _DENIED_CODES:
        named = _DENIED.search(message)
        return AccessDenied(
            message, code=code, action=named["action"] if named else action, resource=named and named["resource"]
        )
    if code in _CREDENTIAL_CODES:
        return NoCredentials(f"AWS does not accept the credentials ({code}): {message}", hint=_LOG_IN)
    what = _subject(parameters)
    text = f"{action}{f' of {what}' if what else ''}: {message or code} ({code})"
    if code in _EXISTS_CODES:
        return AlreadyExists(text, code=code, action=action)
    if code in _THROTTLING_CODES or (status >= 500 and status != _NOT_IMPLEMENTED):
        return Unavailable(text, code=code, action=action)
    if _is_absence(code, message):
        return NotFound(text, code=code, action=action)
    return AwsError(text, code=code, action=action)


def _status(response: Mapping[str, Any]) -> int:
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))


def _is_absence(code: str, message: str) -> bool:
    """Whether the code says that something is not there; CloudFormation and ECS say it with a general code.

    ``DescribeStacks`` answers ValidationError "Stack with id X does not exist"; ``DescribeTaskDefinition`` answers
    ClientException "Unable to describe task definition."
    """
    if code.endswith(("NotFound", "NotFoundException", "NotFoundFault", "DoesNotExistException")) or code.startswith(
        "NoSuch"
    ):
        return True
    if code == "ValidationError":
        return "does not exist" in message
    return code == "ClientException" and message.startswith("Unable to describe task definition")


def _subject(parameters: Mapping[str, Any]) -> str | None:
    names = (
        "service", "taskDefinition", "StackName", "Name", "repositoryName", "logGroupName", "cluster", "Bucket",
        "DistributionId",
    )  # fmt: skip
    return next((str(parameters[name]) for name in names if isinstance(parameters.get(name), str)), None)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
