"""Settings to build stacks from, and CloudFormation's YAML read back as its long form."""

from __future__ import annotations

from typing import Any

import hypothesis
import yaml

from seatrial.config.models import Settings
from seatrial.stack import graph
from seatrial.stack.build import build
from seatrial.stack.lowering import lower

#: For property tests: this machine may be busy, and an example's time says nothing about its truth.
UNHURRIED = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])

CERTIFICATE = "arn:aws:acm:eu-west-3:123456789012:certificate/12345678-1234-1234-1234-123456789012"
WEB = {"command": ["gunicorn", "shop.wsgi"], "port": 8000, "routes": ["/*"], "health_check": "/health/ready"}

EVERYTHING: dict[str, Any] = {
    "services": {
        "web": WEB | {"count": 2},
        "events": {"role": "websocket", "command": ["daphne"], "port": 9000, "routes": ["/ws/*", "/sse/*"]},
        "worker": {
            "role": "worker",
            "command": ["celery", "worker"],
            "environment": {"QUEUES": "default, mail"},
            "exec": True,
        },
        "beat": {"role": "scheduler", "command": ["celery", "beat"]},
    },
    "tasks": {"migrate": {"command": ["python", "manage.py", "migrate"], "gate": True}},
    "jobs": {
        "low-stock-digest": {
            "command": ["python", "manage.py", "digest"],
            "schedule": "cron(0 6 * * ? *)",
            "overlap": "skip",
        }
    },
    "environment": {"LANG": "C.UTF-8", "EMPTY": "", "FLAG": "on", "JSON": '{"a": [1, 2]}'},
    "database": {},
    "cache": {},
    "media": {},
    "secrets": {
        "DJANGO_SECRET_KEY": {"generate": 50},
        "API_KEY": {},
        "SSM_KEY": {"from": "arn:aws:ssm:eu-west-3:123456789012:parameter/shop/key"},
        "OLD_KEY": {"from": "arn:aws:secretsmanager:eu-west-3:123456789012:secret:old-AbCdEf:key::"},
    },
    "target": {"domain": "shop.example.com", "certificate": CERTIFICATE},
}

CANARY: dict[str, Any] = {
    "type": "canary",
    "percent": 12.5,
    "interval": "3m",
    "bake": "5m",
    "test_from": ["198.51.100.7/32", "203.0.113.0/24"],
    "alarms": ["errors"],
    "breaker": {"type": "count", "value": 5, "reset_on_healthy_task": False},
}

HOOK = "arn:aws:lambda:eu-west-3:123456789012:function"

CODEDEPLOY: dict[str, Any] = {
    "type": "codedeploy",
    "traffic": "canary",
    "percent": 20,
    "interval": "2m",
    "wait": "5m",
    "test_port": 9443,
    "test_from": ["198.51.100.7/32"],
    "alarms": ["errors"],
    "breaker": {"type": "count", "value": 5},
    "gates": "hook",
}

SITE_CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
SITE: dict[str, Any] = {"source": "frontend", "build": "npm ci && npm run build"}

#: Configurations that between them lower to every resource there is, and to every one's absence.
MATRIX: dict[str, dict[str, Any]] = {
    "minimal": {},
    "everything": EVERYTHING,
    "private": EVERYTHING | {"network": {"mode": "private", "cidr": "10.20.0.0/24"}},
    "plain-http": {"database": {}, "target": {}},
    "cache-only": {"cache": {}},
    "no-routes": {"services": {"worker": {"role": "worker", "command": ["celery"]}}, "cache": {}},
    "emulator-domain": {"target": {"domain": "shop.example.com", "cloud": "emulator"}, "media": {"versioned": False}},
    "site": EVERYTHING | {"site": SITE | {"domain": "www.shop.example.com", "certificate": SITE_CERTIFICATE}},
    "site-plain": {"site": SITE | {"fallback": ""}, "target": {"cloud": "emulator"}},
    "other-base": EVERYTHING | {"name": "preview-42", "target": {"base": "shared"}},
    "blue-green": {"target": {"cloud": "emulator", "strategy": {"type": "blue_green"}}},
    "canary": EVERYTHING
    | {"target": EVERYTHING["target"] | {"strategy": CANARY}, "smoke": {"home": {"path": "/", "retries": 2}}},
    "linear": EVERYTHING
    | {
        "target": {
            "domain": "shop.example.com",
            "cloud": "emulator",
            "strategy": {"type": "linear", "percent": 25, "test_port": 8443},
        }
    },
    "codedeploy": EVERYTHING
    | {
        "target": EVERYTHING["target"] | {"strategy": CODEDEPLOY},
        "smoke": {"home": {"path": "/"}},
        "hooks": {"warm": {"function": f"{HOOK}:warm", "stages": ["AfterInstall", "POST_SCALE_UP"]}},
    },
    "codedeploy-plain": {"target": {"cloud": "emulator", "strategy": {"type": "codedeploy"}}},
    "hooked": {
        "target": {"cloud": "emulator", "strategy": {"type": "blue_green"}},
        "smoke": {"home": {"path": "/"}},
        "hooks": {"warm": {"function": f"{HOOK}:warm", "stages": ["AfterInstall", "POST_SCALE_UP"]}},
    },
    "watched": {
        "target": {
            "strategy": {
                "type": "rolling",
                "bake": "5m",
                "alarms": ["errors", "slow"],
                "early_success": {"healthy_percent": 100, "cleanup": "deferred"},
            }
        }
    },
    "large": {
        "services": {"web": WEB | {"cpu": 4096, "memory": 8192, "maximum_percent": 150}},
        "database": {"version": "17.5", "multi_az": True, "backup_days": 0, "deletion_protection": False},
        "jobs": {"often": {"command": ["true"], "schedule": "rate(5 minutes)"}},
    },
}


def settings(**changes: Any) -> Settings:
    """Return settings with one web service, changed at the top level."""
    values = {
        "app": {"name": "shop", "region": "eu-west-3", "settings": "shop.settings"},
        "name": "production",
        "services": {"web": WEB},
    }
    return Settings.model_validate(values | changes)


def bundles(**changes: Any) -> tuple[graph.Bundle, graph.Bundle]:
    """Return the base and the app bundle of such settings."""
    return lower(build(settings(**changes)))


def template(bundle: graph.Bundle, name: str) -> graph.Template:
    """Return a bundle's template by name."""
    return next(each for each in bundle.templates if each.name == name)


def resources_of_type(bundle: graph.Bundle, kind: str) -> dict[str, graph.Resource]:
    """Return the resources of a type in all templates of a bundle."""
    return {
        logical_id: resource
        for each in bundle.templates
        for logical_id, resource in each.resources.items()
        if resource.type == kind
    }


def properties(bundle: graph.Bundle, template_name: str, logical_id: str) -> dict[str, Any]:
    """Return a resource's properties as CloudFormation's long form."""
    long: dict[str, Any] = long_form(template(bundle, template_name).resources[logical_id].properties)
    return long


def long_form(value: Any) -> Any:
    """Return a graph value as the JSON that CloudFormation would understand."""
    simple = {
        graph.Ref: lambda v: {"Ref": v.name},
        graph.GetAtt: lambda v: {"Fn::GetAtt": [v.resource, v.attribute]},
        graph.ImportValue: lambda v: {"Fn::ImportValue": v.name},
        graph.GetAZs: lambda _: {"Fn::GetAZs": ""},
        graph.Sub: lambda v: {"Fn::Sub": [v.text, long_form(dict(v.variables))] if v.variables else v.text},
        graph.Join: lambda v: {"Fn::Join": [v.delimiter, long_form(v.values)]},
        graph.Split: lambda v: {"Fn::Split": [v.delimiter, long_form(v.value)]},
        graph.Select: lambda v: {"Fn::Select": [v.index, long_form(v.value)]},
        graph.Cidr: lambda v: {"Fn::Cidr": [long_form(v.block), v.count, v.bits]},
        graph.If: lambda v: {"Fn::If": [v.condition, long_form(v.then), long_form(v.otherwise)]},
        graph.Equals: lambda v: {"Fn::Equals": [long_form(v.left), long_form(v.right)]},
        graph.Not: lambda v: {"Fn::Not": [long_form(v.condition)]},
        graph.NestedTemplate: lambda v: v.name,
        graph.Noted: lambda v: long_form(v.value),
    }
    if type(value) in simple:
        return simple[type(value)](value)  # type: ignore[no-untyped-call]  # lambdas over one type each
    if isinstance(value, dict):
        return {key: long_form(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [long_form(child) for child in value]
    return value


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, and CloudFormation's short tags."""


def _tagged(loader: Any, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


def parsed(text: str) -> dict[str, Any]:
    """Return a YAML template as its long form."""
    document: dict[str, Any] = yaml.load(text, Loader=_Loader)  # a safe loader; the tags only make dictionaries
    return document
