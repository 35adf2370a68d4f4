"""One id for all that a request brings about."""

import io
import json
import logging

import pytest
from django.test import Client

from stockweb.logs import JsonFormatter


@pytest.mark.parametrize("given", ["0af7651916cd43dd8448eb211c80319c", "a.b-c_d8"])
def test_a_good_id_is_kept(client: Client, given: str) -> None:
    assert client.get("/livez", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "short", "x" * 65, 'a"b"c"d"e', "line\\nfeed1", "Ünicöde99"])
def test_any_other_is_replaced(client: Client, given: str) -> None:
    told = client.get("/livez", headers={"X-Request-ID": given})["X-Request-ID"]
    assert told != given
    assert len(told) == 32


def test_each_line_has_it(client: Client) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter("v7"))
    logging.getLogger("django.request").addHandler(handler)
    try:
        client.get("/nowhere", headers={"X-Request-ID": "request-1"})
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    (line,) = (json.loads(each) for each in written.getvalue().splitlines())
    assert (line["request_id"], line["version"], line["level"]) == ("request-1", "v7", "warning")
    assert line["message"] == "Not Found: /nowhere"
    assert "request" not in line


def test_a_traceback_is_one_string_of_one_line() -> None:
    error = ValueError("no")
    record = logging.LogRecord("a", logging.ERROR, "f", 1, "it %s", ("broke",), (ValueError, error, None))
    line = json.loads(JsonFormatter("v7").format(record))
    assert line["message"] == "it broke"
    assert line["exception"].endswith("ValueError: no")
