"""How operations are described: what :mod:`api.base` says of each, and the errors that many have."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from api.errors import MEDIA_TYPE, ProblemBody


class Operation(AutoSchema):
    """One operation."""

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        found = super()._get_response_bodies(direction)
        for code in self._common():
            found.setdefault(code, self._get_response_for_code(ProblemBody, code, [MEDIA_TYPE], direction))
        for code, response in found.items():
            if code >= "400":
                response["description"] = _DESCRIPTIONS[code]
        return dict(sorted(found.items()))

    def _get_serializer_name(self, serializer: Any, direction: str, *args: Any, **kwargs: Any) -> str:
        """Name ``PartBody`` *Part*."""
        return str(super()._get_serializer_name(serializer, direction, *args, **kwargs)).removesuffix("Body")

    def get_auth(self) -> list[dict[str, Any]]:
        """Say that nobody need be logged in for what anybody may read."""
        open_to_all = self.method == "GET" and not getattr(self.view, "needs", {}).get("GET")
        return [*super().get_auth(), *([{}] if open_to_all else [])]

    def _common(self) -> list[str]:
        unsafe = self.method != "GET"
        needs = getattr(self.view, "needs", {})
        parameters = [each for each in self._get_parameters() if each["in"] != "path"]
        codes = ["401", "429"]
        if parameters or self.get_request_serializer() is not None:
            codes.append("400")
        if unsafe or needs.get("GET"):
            codes.append("403")
        if unsafe:
            codes.append("409")
        if "{" in self.path:
            codes.append("404")
        if self.method in ("POST", "PATCH", "PUT") and self.get_request_serializer() is not None:
            codes.append("415")
        return codes


#: An operation may refuse for these.
_DESCRIPTIONS = {
    "400": "What was sent makes no sense; `errors` says which part.",
    "401": "Log in, or show a token that is valid.",
    "403": "Your role, your token or the missing CSRF token does not allow it.",
    "404": "It is not there.",
    "409": "It cannot be done as things are.",
    "413": "The file is too large.",
    "415": "The body must be of the type that is described.",
    "422": "The key belongs to another change.",
    "429": "Too many requests; `Retry-After` says how many seconds to wait.",
    "503": "Something behind this does not answer; try again.",
}


def versioned(endpoints: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the endpoints to be described: those with a version in their address."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


class TokenScheme(OpenApiAuthenticationExtension):
    """Tokens, in the schema."""

    target_class = "api.auth.ByToken"
    name = "token"

    def get_security_definition(self, _auto_schema: AutoSchema) -> dict[str, Any]:
        """Return how one is shown."""
        return {"type": "http", "scheme": "bearer", "description": "made by POST /api/v1/tokens"}


class SessionScheme(OpenApiAuthenticationExtension):
    """Sessions, in the schema."""

    target_class = "api.auth.BySession"
    name = "session"

    def get_security_definition(self, _auto_schema: AutoSchema) -> dict[str, Any]:
        """Return how one is shown."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "made by logging in at /_allauth/browser/v1/auth/login; changes carry X-CSRFToken as well",
        }
