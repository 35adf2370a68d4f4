"""``[site]``: what it defaults to, what an overlay changes, and what is refused under which key."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import tomli_w

from seatrial.config.load import loads
from seatrial.config.schema import json_schema
from seatrial.errors import ConfigError

APP: dict[str, Any] = {"name": "shop", "settings": "shop.settings"}
WEB: dict[str, Any] = {"web": {"command": ["gunicorn"], "port": 8000, "routes": ["/*"]}}
WORKER: dict[str, Any] = {"worker": {"role": "worker", "command": ["celery"]}}
SITE: dict[str, Any] = {"source": "frontend", "build": "npm ci && npm run build"}
ARN = "arn:aws:acm:us-east-1:123456789012:certificate/1a"


def text(site: dict[str, Any], **more: Any) -> str:
    return tomli_w.dumps({"app": APP, "services": WEB, "site": SITE | site, **more})


def test_what_a_site_is_by_default() -> None:
    site = loads(text({}), "local").site
    assert site is not None
    assert (site.output, site.fallback, site.immutable, site.keep) == ("dist", "index.html", ("assets/*",), 5)
    assert (site.config_file, site.config, site.domain, site.price_class) == ("config.json", {}, None, "100")


def test_its_domain_is_given_by_environment() -> None:
    overlays = {"production": {"site": {"domain": "www.shop.example", "certificate": ARN}}}
    written = text({}, environments=overlays)
    site = loads(written, "production").site
    assert site is not None
    assert (site.domain, site.certificate, site.source) == ("www.shop.example", ARN, "frontend")
    assert loads(written, "local").site != site
    jsonschema.Draft202012Validator(json_schema()).validate({"app": APP, "services": WEB, "environments": overlays})


@pytest.mark.parametrize(
    "value",
    ["{service_url}/api", "{websocket_url}", "{site_url} of {environment} at {version}", "no placeholder", ""],
)
def test_a_value_of_its_configuration_is_filled_in_by_format(value: str) -> None:
    site = loads(text({"config": {"api": value}}), "local").site
    assert site is not None
    known = {name: name.upper() for name in ("service_url", "websocket_url", "site_url", "version", "environment")}
    assert "{" not in site.config["api"].format_map(known)


@pytest.mark.parametrize(
    ("site", "key", "message"),
    [
        ({"source": "/srv/frontend"}, "site.source", "expected a plain relative path"),
        ({"source": "../frontend"}, "site.source", "expected a plain relative path"),
        ({"build": ""}, "site.build", "at least 1 character"),
        ({"output": "dist/"}, "site.output", "not 'dist/'"),
        ({"fallback": "/index.html"}, "site.fallback", "expected a plain relative path"),
        ({"fallback": "."}, "site.fallback", "expected the name of a file"),
        ({"config_file": ""}, "site.config_file", "expected a plain relative path"),
        ({"config_file": "a/../b.json"}, "site.config_file", "expected a plain relative path"),
        ({"config_file": "index.html", "config": {"a": "b"}}, "site.config_file", "is the `fallback`"),
        ({"immutable": ["*.html"]}, "site.immutable", "matches index.html (`fallback`)"),
        ({"immutable": ["*.json"]}, "site.immutable", "matches config.json (`config_file`)"),
        ({"keep": 0}, "site.keep", "greater than or equal to 1, not 0"),
        ({"price_class": "300"}, "site.price_class", "expected '100', '200' or 'All'"),
        ({"config": {"api": "{service}"}}, "site.config.api", "{service} is none of what can be filled in: {service_"),
        ({"config": {"api": "{site_url!r}"}}, "site.config.api", "{site_url!r} is none of"),
        ({"config": {"api": "a } b"}}, "site.config.api", "} is none of"),
        ({"config": {"api": "{{version}}"}}, "site.config.api", "{ is none of"),
        ({"config": {"api": 3}}, "site.config.api", "expected a valid string"),
        ({"domain": "www.shop.example"}, "site.domain", "`domain` needs `certificate` beside it"),
        ({"certificate": ARN}, "site.certificate", "`certificate` needs `domain` beside it"),
        (
            {"domain": "www.shop.example", "certificate": ARN.replace("us-east-1", "eu-west-1")},
            "site.certificate",
            "certificates of ACM in us-east-1 only",
        ),
        ({"fallbck": "x"}, "site.fallbck", "is not a known key"),
    ],
    ids=str,
)
def test_what_is_refused_names_the_key(site: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(text(site), "local")
    assert caught.value.key == key
    assert message in caught.value.message
    assert caught.value.line


def test_the_site_needs_a_host_name_of_its_own() -> None:
    shared = {"domain": "shop.example", "certificate": ARN}
    with pytest.raises(ConfigError, match="a host name of its own") as caught:
        loads(text({}, environments={"production": {**shared, "site": shared}}), "production")
    assert caught.value.key == "environments.production.site.domain"


def test_an_address_of_services_needs_one_that_is_served() -> None:
    written = tomli_w.dumps({"app": APP, "services": WORKER, "site": SITE | {"config": {"api": "{service_url}"}}})
    with pytest.raises(ConfigError, match="there is no web or websocket service") as caught:
        loads(written, "local")
    assert caught.value.key == "site.config.api"
