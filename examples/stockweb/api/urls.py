"""URLs of the API. Those without a version are older than it and answer the same; the schema has the others only."""

from django.urls import include, path, register_converter
from drf_spectacular.views import SpectacularAPIView

from api import boxes, finding, me, movements, parts, people, stock, types


class BoxCode:
    """The code of a box, as the database takes it."""

    regex = "[A-Z0-9-]{1,20}"

    def to_python(self, value: str) -> str:
        """It is a text."""
        return value

    def to_url(self, value: str) -> str:
        """It is a text."""
        return value


register_converter(BoxCode, "code")

VERSION_1 = [
    path("parts", parts.Parts.as_view(), name="api-parts"),
    path("parts/<int:pk>", parts.OnePart.as_view(), name="api-part"),
    path("parts/<int:pk>/add", stock.Add.as_view()),
    path("parts/<int:pk>/take", stock.Take.as_view()),
    path("parts/<int:pk>/move", stock.Move.as_view()),
    path("lots", stock.Lots.as_view()),
    path("low-stock", stock.LowStock.as_view()),
    path("events/position", stock.Position.as_view()),
    path("movements", movements.Movements.as_view()),
    path("movements/<int:pk>/undo", movements.Undo.as_view()),
    path("boxes", boxes.Boxes.as_view()),
    path("boxes/<code:code>", boxes.OneBox.as_view()),
    path("types", types.Types.as_view()),
    path("types/<int:pk>", types.OneType.as_view()),
    path("types/<int:pk>/attributes", types.Definitions.as_view()),
    path("attributes/<int:pk>", types.OneDefinition.as_view()),
    path("find", finding.Find.as_view(), name="api-find"),
    path("requirements", finding.Requirements.as_view()),
    path("requirements/<int:pk>", finding.OneRequirement.as_view()),
    path("me", me.Me.as_view(), name="api-me"),
    path("tokens", me.Tokens.as_view()),
    path("tokens/<int:pk>", me.OneToken.as_view()),
    path("people", people.People.as_view()),
    path("people/<int:pk>", people.OnePerson.as_view()),
]

urlpatterns = [
    path("v1/", include(VERSION_1)),
    path("v1/openapi.yaml", SpectacularAPIView.as_view(), name="api-schema"),
    path("find", finding.Find.as_view()),
    path("parts/<int:pk>", parts.OnePart.as_view()),
    path("parts/<int:pk>/add", stock.Add.as_view()),
    path("parts/<int:pk>/take", stock.Take.as_view()),
]
