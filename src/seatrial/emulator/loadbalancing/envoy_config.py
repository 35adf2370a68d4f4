"""Envoy's configuration for a model, as JSON-ready resources. Pure.

What is special, and why:

- endpoints (EDS) and routes (RDS) are resources apart from clusters and listeners, so that a change of targets or rules
  touches neither connections to other targets nor listening sockets;
- nothing is retried, and an upstream that refuses or breaks off is 502 (Envoy's own answer is 503), one that does not
  accept in ten seconds 504, no target 503: as an ALB answers;
- idle connections to targets are closed after :data:`UPSTREAM_IDLE`, before the two seconds after which gunicorn's
  threaded worker closes them, so that no request is sent on a connection that is just being closed.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from seatrial.emulator.loadbalancing.answers import ERROR_TYPE, OWN, SERVER, TARGET_HEADER, error_page
from seatrial.emulator.loadbalancing.model import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    Listener,
    Pool,
    Redirect,
    Rule,
)
from seatrial.emulator.loadbalancing.patterns import for_re2

if TYPE_CHECKING:
    from collections.abc import Iterable

UPSTREAM_IDLE = "1s"
CONNECT_TIMEOUT = "10s"
BARRIER = "barrier"
_TYPE = "type.googleapis.com/"
_SOURCE = "seatrial.source"
_NO_LIMIT = 1_000_000_000
#: Envoy refuses expressions of more than 100 instructions; a condition of 128 characters has more.
_REGEX_LIMITS = {f"re2.max_program_size.{level}_level": 100_000 for level in ("warn", "error")}

Resource = dict[str, Any]


def name_of(arn: str) -> str:
    """Return the short name of a pool or listener inside Envoy, fit for file names and statistics."""
    return arn.rsplit("/", 1)[-1][:12] + "-" + sha256(arn.encode()).hexdigest()[:12]


def bootstrap() -> Resource:
    """Return the start configuration. Sockets and files are relative to the directory that Envoy is started in."""
    manager = _manager(BARRIER, BARRIER, 3600)
    return {
        "node": {"id": "seatrial", "cluster": "seatrial"},
        "admin": {"address": {"pipe": {"path": "admin.sock", "mode": 0o600}}},
        "layered_runtime": {"layers": [{"name": "limits", "static_layer": _REGEX_LIMITS}]},
        "dynamic_resources": {"cds_config": _file("cds.json"), "lds_config": _file("lds.json")},
        "static_resources": {
            "listeners": [
                {
                    "name": BARRIER,
                    "address": {"pipe": {"path": "barrier.sock", "mode": 0o600}},
                    "filter_chains": [{"filters": [_filter("manager", manager)]}],
                }
            ]
        },
    }


def barrier_routes(generation: int) -> Resource:
    """Return the routes of the private listener that tells which generation is live."""
    answer = {"direct_response": {"status": 200, "body": {"inline_string": str(generation)}}}
    return _route_configuration(BARRIER, [{"match": {"prefix": "/"}, **answer}])


def cluster(pool: Pool) -> Resource:
    """Return the cluster of a pool; its endpoints are a resource of their own."""
    options = {
        "explicit_http_config": {"http_protocol_options": {}},
        "common_http_protocol_options": {"idle_timeout": UPSTREAM_IDLE},
    }
    limits = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests", "max_retries"), _NO_LIMIT)
    name = name_of(pool.arn)
    resource = {
        "@type": _TYPE + "envoy.config.cluster.v3.Cluster",
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _file(f"eds-{name}.json")},
        "connect_timeout": CONNECT_TIMEOUT,
        "lb_policy": "ROUND_ROBIN",
        "common_lb_config": {"update_merge_window": "0s", "healthy_panic_threshold": {"value": 0}},
        "circuit_breakers": {"thresholds": [limits]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                **options,
            }
        },
    }
    if pool.protocol == "HTTPS":  # an ALB does not verify its targets' certificates either
        context = {"@type": _TYPE + "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"}
        resource["transport_socket"] = {"name": "tls", "typed_config": context}
    return resource


def endpoints(pool: Pool) -> Resource:
    """Return where the targets of a pool answer."""
    found = [
        {"endpoint": {"address": {"socket_address": {"address": each.address, "port_value": each.port}}}}
        for each in pool.backends
    ]
    return {
        "@type": _TYPE + "envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": name_of(pool.arn),
        "endpoints": [{"lb_endpoints": found}],
    }


def listener(model: Listener) -> Resource:
    """Return a listening socket; its routes are a resource of their own."""
    name = name_of(model.arn)
    chain: Resource = {
        "filters": [
            _filter("source", _remember_source()),
            _filter("manager", _manager(name, name, model.idle_timeout)),
        ]
    }
    if model.certificates:
        chain["transport_socket"] = {"name": "tls", "typed_config": _tls(model)}
    return {
        "@type": _TYPE + "envoy.config.listener.v3.Listener",
        "name": name,
        "address": {"socket_address": {"address": model.address, "port_value": model.bound_port}},
        "filter_chains": [chain],
    }


def routes(model: Listener) -> Resource:
    """Return the rules of a listener."""
    made = [_route(rule, model) for rule in model.rules]
    configuration = _route_configuration(name_of(model.arn), made)
    source = _header("x-forwarded-for", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%")
    source["append_action"] = "APPEND_IF_EXISTS_OR_ADD"
    configuration["request_headers_to_add"] = [source, _header("x-forwarded-port", str(model.port))]
    configuration["request_headers_to_remove"] = ["x-envoy-internal", "x-envoy-external-address"]
    configuration["response_headers_to_add"] = [_header(TARGET_HEADER, "%UPSTREAM_REMOTE_ADDRESS%")]
    return configuration


def _file(path: str) -> Resource:
    return {"resource_api_version": "V3", "path_config_source": {"path": f"./{path}"}}


def _filter(name: str, config: Resource) -> Resource:
    return {"name": name, "typed_config": config}


def _header(key: str, value: str) -> Resource:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _route_configuration(name: str, made: list[Resource]) -> Resource:
    return {
        "@type": _TYPE + "envoy.config.route.v3.RouteConfiguration",
        "name": name,
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": made}],
    }


def _manager(prefix: str, route_name: str, idle_timeout: int) -> Resource:
    return {
        "@type": _TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": prefix,
        "codec_type": "AUTO",
        "http_protocol_options": {"accept_http_10": True, "default_host_for_http_10": "localhost"},
        "common_http_protocol_options": {"idle_timeout": f"{idle_timeout}s"},
        "stream_idle_timeout": f"{idle_timeout}s",
        "use_remote_address": True,
        "skip_xff_append": True,  # Envoy would name the machine's own address instead of a loopback one
        "generate_request_id": False,
        "preserve_external_request_id": True,
        "server_name": SERVER,
        "server_header_transformation": "APPEND_IF_ABSENT",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "local_reply_config": {"mappers": _local_replies()},
        "rds": {"route_config_name": route_name, "config_source": _file(f"rds-{route_name}.json")},
        "http_filters": [
            {
                "name": "redirect",
                "disabled": True,  # only the routes that redirect turn it on
                "typed_config": {"@type": _TYPE + "envoy.extensions.filters.http.lua.v3.Lua"},
            },
            _filter(
                "router",
                {"@type": _TYPE + "envoy.extensions.filters.http.router.v3.Router", "suppress_envoy_headers": True},
            ),
        ],
    }


def _local_replies() -> list[Resource]:
    """Map Envoy's own answers to an ALB's status and page; the first that applies is used, configured answers none."""
    configured = 'response.code_details in ["direct_response", "lua_response"]'
    cases = [
        (_expression('response.code_details.contains("connection_timeout")'), 504),
        ({"response_flag_filter": {"flags": ["UF", "UC", "UR", "UPE", "LR"]}}, 502),
        ({"response_flag_filter": {"flags": ["UH", "NC", "NR"]}}, 503),
        *((_expression(f"response.code == {status} && !({configured})"), status) for status in OWN),
    ]
    return [
        {
            "filter": condition,
            "status_code": status,
            "body": {"inline_string": error_page(status)},
            "body_format_override": {
                "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
                "content_type": ERROR_TYPE,
            },
        }
        for condition, status in cases
    ]


def _expression(text: str) -> Resource:
    config = {"@type": _TYPE + "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter", "expression": text}
    return {"extension_filter": {"name": "cel", "typed_config": config}}


def _remember_source() -> Resource:
    """Keep the client's address where ``source-ip`` conditions can match it."""
    return {
        "@type": _TYPE + "envoy.extensions.filters.network.set_filter_state.v3.Config",
        "on_new_connection": [
            {
                "object_key": _SOURCE,
                "factory_key": "envoy.network.ip",
                "format_string": {"text_format_source": {"inline_string": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}},
            }
        ],
    }


def _tls(model: Listener) -> Resource:
    """The first certificate is the default; Envoy picks another by the name that the client asks for."""
    return {
        "@type": _TYPE + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_certificates": [
                {"certificate_chain": {"filename": each.certificate}, "private_key": {"filename": each.key}}
                for each in model.certificates
            ],
        },
    }


def _route(rule: Rule, model: Listener) -> Resource:
    match: Resource = {}
    for condition in rule.conditions:
        _add(match, condition)
    if "safe_regex" not in match:
        match["prefix"] = "/"
    return {"match": match, **_action(rule.action, model)}


def _add(match: Resource, condition: Condition) -> None:
    if condition.field == "path-pattern":
        match["safe_regex"] = {"regex": _any(condition.patterns)}
    elif condition.field == "source-ip":
        ranges = [_range(block) for block in condition.patterns]
        match.setdefault("filter_state", []).append({"key": _SOURCE, "address_match": {"ranges": ranges}})
    else:
        subjects = {"host-header": ":authority", "http-request-method": ":method", "query-string": ":path"}
        name = subjects.get(condition.field, condition.header)
        matcher = {"name": name, "string_match": {"safe_regex": {"regex": _any(condition.patterns)}}}
        match.setdefault("headers", []).append(matcher)


def _any(patterns: Iterable[str]) -> str:
    return "(?:" + "|".join(map(for_re2, patterns)) + ")"


def _range(block: str) -> Resource:
    address, _, length = block.partition("/")
    return {"address_prefix": address, "prefix_len": int(length or (128 if ":" in address else 32))}


def _action(action: Action, model: Listener) -> Resource:
    if isinstance(action, Forward):
        return _forward(action)
    if isinstance(action, FixedResponse):
        answer: Resource = {"status": action.status}
        if action.body:
            answer["body"] = {"inline_string": action.body}
        return {
            "direct_response": answer,
            "response_headers_to_add": [_header("content-type", _unformatted(action.content_type))],
        }
    script = {"@type": _TYPE + "envoy.extensions.filters.http.lua.v3.LuaPerRoute"}
    return {
        "direct_response": {"status": 500},  # never reached: the script answers
        "typed_per_filter_config": {
            "redirect": {**script, "source_code": {"inline_string": _redirect_script(action, model)}}
        },
    }


def _forward(action: Forward) -> Resource:
    weighted = [{"name": name_of(arn), "weight": weight} for arn, weight in action.pools if weight > 0]
    if not weighted:
        return {
            "direct_response": {"status": 503, "body": {"inline_string": error_page(503)}},
            "response_headers_to_add": [_header("content-type", ERROR_TYPE)],
        }
    return {"route": {"weighted_clusters": {"clusters": weighted}, "timeout": "0s"}}


def _unformatted(value: str) -> str:
    return value.replace("%", "%%")


def _redirect_script(action: Redirect, model: Listener) -> str:
    """Return the Lua that answers with the new address; the same rules as :func:`.redirects.location`."""
    texts = {
        key: json.dumps(getattr(action, key), ensure_ascii=False)
        for key in ("protocol", "host", "port", "path", "query")
    }
    return f"""
function envoy_on_request(handle)
  local target = handle:headers():get(":path")
  local path, query = target:match("^([^?]*)%??(.*)$")
  local parts = {{
    protocol = "{model.protocol.lower()}",
    host = (handle:headers():get(":authority") or ""):gsub(":%d+$", ""),
    port = "{model.bound_port}",
    path = path:gsub("^/", ""),
    query = query,
  }}
  local function fill(text)
    return (text:gsub("#{{(%a+)}}", parts))
  end
  local location = fill({texts["protocol"]}) .. "://" .. fill({texts["host"]}) .. ":" .. fill({texts["port"]})
  location = location .. fill({texts["path"]})
  local search = fill({texts["query"]})
  if search ~= "" then
    location = location .. "?" .. search
  end
  handle:respond(
    {{[":status"] = "{action.status}", ["location"] = location, ["content-type"] = "{ERROR_TYPE}"}},
    {json.dumps(error_page(action.status))}
  )
end
"""
