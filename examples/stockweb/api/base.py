"""What every resource is made of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.auth import Allowed, BySession, ByToken
from api.errors import MEDIA_TYPE, ProblemBody, bad_parameters
from api.limits import Requests

V = TypeVar("V", bound=Callable[..., Any])


class Resource(APIView):
    """A resource. ``needs`` says, by method, which permission it wants; see :mod:`api.auth`."""

    authentication_classes = (ByToken, BySession)
    permission_classes = (Allowed,)
    throttle_classes = (Requests,)
    needs: ClassVar[Mapping[str, str]] = {}

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Keep answers out of caches: they are of a moment, and some of a person."""
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return super().finalize_response(request, response, *args, **kwargs)


def described(
    operation_id: str,
    answer: Any = None,
    *,
    status: int = 200,
    body: Any = None,
    query: type[serializers.Serializer] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    refuses: Sequence[int] = (),
    examples: Sequence[OpenApiExample] = (),
    answers: Mapping[int, Any] | None = None,
    media_type: str | None = None,
) -> Callable[[V], V]:
    """Describe a method for the schema: what it takes and gives, and the errors that are peculiar to it."""
    responses: dict[Any, Any] = {(status, media_type) if media_type else status: answer, **(answers or {})}
    responses |= {(code, MEDIA_TYPE): ProblemBody for code in refuses}
    return extend_schema(
        operation_id=operation_id,
        request=body,
        responses=responses,
        parameters=[*([query] if query else ()), *parameters],
        examples=list(examples) or None,
    )


def asked(query: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    """Return the parameters of an address. Raises a problem that names those that make no sense."""
    read = query(data=request.query_params.dict())
    if not read.is_valid():
        raise bad_parameters({name: " ".join(map(str, reasons)) for name, reasons in read.errors.items()})
    return dict(read.validated_data)


def given(body: type[serializers.Serializer], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """Return the body of a request. Raises ``ValidationError``."""
    read = body(data=request.data, partial=partial)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)
