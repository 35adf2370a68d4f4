"""URLs of the API. Those without a version are older than it and answer the same; the schema has the others only."""

from django.urls import include, path, register_converter
from drf_spectacular.views import SpectacularAPIView

from api import (
    attachments,
    bom,
    boxes,
    builds,
    finding,
    imports,
    me,
    movements,
    parts,
    people,
    projects,
    shopping,
    shops,
    stock,
    types,
)


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
    path("parts/<int:pk>/attachments", attachments.OfPart.as_view(), name="api-attachments"),
    path("attachments/<uuid:pk>", attachments.One.as_view()),
    path("attachments/<uuid:pk>/complete", attachments.Complete.as_view()),
    path("imports", imports.Imports.as_view(), name="api-imports"),
    path("imports/columns", imports.Columns.as_view()),
    path("imports/<uuid:pk>", imports.OneImport.as_view()),
    path("imports/<uuid:pk>/lines", imports.Lines.as_view()),
    path("imports/<uuid:pk>/check", imports.Check.as_view()),
    path("imports/<uuid:pk>/commit", imports.Commit.as_view()),
    path("export", imports.Export.as_view(), name="api-export"),
    path("parts/<int:pk>/count", stock.Count.as_view()),
    path("parts/<int:pk>/offers", shops.Offers.as_view()),
    path("offers/<int:pk>", shops.OneOffer.as_view()),
    path("shops", shops.Shops.as_view()),
    path("shops/<int:pk>", shops.OneShop.as_view()),
    path("rates", shops.Rates.as_view()),
    path("shopping-list", shopping.Shopping.as_view()),
    path("projects", projects.Projects.as_view()),
    path("projects/<int:pk>", projects.OneProject.as_view()),
    path("projects/<int:pk>/bom", bom.Bom.as_view()),
    path("projects/<int:pk>/report", bom.ProjectReport.as_view()),
    path("projects/<int:pk>/builds", builds.Builds.as_view()),
    path("bom-lines/<int:pk>", bom.OneLine.as_view()),
    path("builds/<int:pk>/undo", builds.UndoBuild.as_view()),
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
