"""The pages of one version: what its code does with its models, case by case.

The models are those that this version's migrations come to, as ``makemigrations`` keeps them. ``/CASE/PAGE`` is one
transaction that is committed. It answers with the version, and with status 500 where a query failed.

What a later constraint may forbid is taken out again within its request, since a constraint cannot be added while it is
there. So is every row of a case whose table stays empty. The header ``X-Lock-Timeout`` says how long a request waits
for a lock.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction  # type: ignore[import-not-found]
from django.db.migrations.loader import MigrationLoader  # type: ignore[import-not-found]
from django.db.models.functions import Collate  # type: ignore[import-not-found]
from django.http import HttpResponse  # type: ignore[import-not-found]
from django.urls import path  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
VERSION = (HERE / "version.txt").read_text()
CASES = json.loads((HERE / "cases.json").read_text())
APPS = MigrationLoader(None).project_state().apps


class Code:
    """What the code of this version does in one case. The name of each public method is that of a page."""

    def __init__(self, label: str) -> None:
        self._case = CASES[label]
        self._box = APPS.get_model(label, "Box")
        self._model = APPS.get_model(label, "Part")
        self._parts = self._model._default_manager

    def list(self) -> None:
        for part in self._parts.order_by("pk")[:5]:
            str(part)
        for part in self._parts.filter(box__code="b")[:2]:
            str(part)

    def create(self) -> None:
        part = self._saved()
        if not self._case["rows"]:
            part.delete()

    def update(self) -> None:
        first = self._parts.order_by("pk").first()
        part = first or self._saved()
        part.save()
        if first is None:
            part.delete()

    def delete(self) -> None:
        self._saved().delete()

    def odd(self) -> None:
        """Write what only this version may write."""
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as a commit would
        for part in [self._saved(**eval(values)) for values in self._case["writes"]]:
            part.delete()

    def own(self) -> None:
        """Read what only this version may read."""
        part = self._saved()
        names = {"parts": self._parts, "part": part, "Collate": Collate}
        for found in eval(self._case["reads"], names)[:2]:
            str(found)
        part.delete()

    def seed(self) -> None:
        box = self._box.objects.create(code="b")
        rows = 50 if self._case["rows"] else 0
        self._parts.bulk_create([self._part(box=box, maybe=1, text="t") for _ in range(rows)])

    def _saved(self, **values: Any) -> Any:
        part = self._part(**values)
        part.save()
        return part

    def _part(self, **values: Any) -> Any:
        usual = {"name": secrets.token_hex(5), "short": "s", "code": secrets.token_hex(10), "count": 1}
        names = {field.attname for field in self._model._meta.concrete_fields}
        wanted = {key: value for key, value in {**usual, **values}.items() if key in names or key == "box"}
        return self._model(**wanted)


def page(request: Any, label: str, name: str) -> HttpResponse:
    try:
        code = Code(label)
    except LookupError:
        return HttpResponse(f"{VERSION}\nhas no such model", status=404)
    action: Callable[[], None] = getattr(code, name)
    try:
        with transaction.atomic():
            if patience := request.headers.get("X-Lock-Timeout"):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [patience])
            action()
    except Exception as error:  # noqa: BLE001 - that something fails is what is asked for
        return HttpResponse(f"{VERSION}\n{type(error).__name__}: {error}", status=500)
    return HttpResponse(VERSION)


def ready(_request: Any) -> HttpResponse:
    return HttpResponse(VERSION)


urlpatterns = [path("ready", ready), path("<label>/<name>", page)]
