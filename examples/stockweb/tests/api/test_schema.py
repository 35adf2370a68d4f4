"""The description of the API, which the front end's client is generated from."""

from io import StringIO

from django.core.management import call_command

from api import urls
from tests.conftest import PROJECT

COMMITTED = PROJECT / "schema" / "openapi.yaml"


def test_the_committed_schema_is_that_of_the_code() -> None:
    written = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=written)
    assert written.getvalue() == COMMITTED.read_text(), (
        "write it anew: python manage.py spectacular --validate --fail-on-warn --file schema/openapi.yaml"
    )


def test_every_change_says_which_permission_it_needs() -> None:
    for each in urls.VERSION_1:
        for method in {"POST", "PUT", "PATCH", "DELETE"} & {name.upper() for name in vars(each.callback.cls)}:
            assert each.callback.cls.needs.get(method), f"{method} {each.pattern}"
