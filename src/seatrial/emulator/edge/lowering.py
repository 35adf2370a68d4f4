"""CloudFront's configuration, as the API takes it, lowered to what an edge does. Pure.

A configuration has been accepted (:mod:`.refusals`), so that what it names is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, cast

from seatrial.emulator.edge import model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Config = Mapping[str, Any]
    #: The configuration of a policy or an origin access control: kind and id → configuration.
    Lookup = Callable[[str, str], Config]

#: ``bucket.s3.region.amazonaws.com`` and its older forms.
BUCKET = re.compile(r"(?P<name>[a-z0-9][a-z0-9.-]+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")
_DAY, _YEAR = 86400.0, 31536000.0
_SELECTIONS: dict[str, Literal["none", "all", "only", "but"]] = {
    "none": "none", "all": "all", "whitelist": "only", "allExcept": "but",
}  # fmt: skip


def lower(arn: str, config: Config, lookup: Lookup) -> model.Distribution:
    """Return the distribution ``arn`` as its edges know it."""
    origins = {each["Id"]: _origin(each, lookup) for each in items(config["Origins"])}
    behaviours = [*items(config.get("CacheBehaviors")), {**config["DefaultCacheBehavior"], "PathPattern": "*"}]
    return model.Distribution(
        arn=arn,
        enabled=bool(config["Enabled"]),
        aliases=tuple(items(config.get("Aliases"))),
        root=str(config.get("DefaultRootObject") or ""),
        behaviours=tuple(_behaviour(each, origins, lookup) for each in behaviours),
        errors={int(each["ErrorCode"]): _error(each) for each in items(config.get("CustomErrorResponses"))},
    )


def items(listed: Any) -> list[Any]:
    """Return what is in a ``{"Quantity": 1, "Items": [...]}``."""
    return list((listed or {}).get("Items") or ())


def times(config: Config) -> tuple[float, float, float]:
    """Return minimum, default and maximum seconds of a cache policy, or of a behaviour that has none."""
    minimum = float(config.get("MinTTL") or 0)
    default = float(_or(config.get("DefaultTTL"), max(_DAY, minimum)))
    return minimum, default, float(_or(config.get("MaxTTL"), max(_YEAR, default)))


def _origin(origin: Config, lookup: Lookup) -> model.Origin:
    found = BUCKET.fullmatch(origin["DomainName"])
    assert found is not None  # refusals
    control = origin.get("OriginAccessControlId")
    signing = lookup("OriginAccessControl", control)["SigningBehavior"] if control else "never"
    return model.Origin(found["name"], str(origin.get("OriginPath") or ""), signing != "never")


def _behaviour(behaviour: Config, origins: Mapping[str, model.Origin], lookup: Lookup) -> model.Behaviour:
    policy = behaviour.get("ResponseHeadersPolicyId")
    viewers = cast("Literal['allow-all', 'redirect-to-https', 'https-only']", behaviour["ViewerProtocolPolicy"])
    return model.Behaviour(
        pattern=behaviour["PathPattern"],
        origin=origins[behaviour["TargetOriginId"]],
        viewers=viewers,
        methods=frozenset(items(behaviour.get("AllowedMethods")) or ("GET", "HEAD")),
        compress=bool(behaviour.get("Compress")),
        caching=_caching(behaviour, lookup),
        headers=_headers(lookup("ResponseHeadersPolicy", policy)) if policy else model.HeadersPolicy(),
    )


def _caching(behaviour: Config, lookup: Lookup) -> model.CachePolicy:
    """Return the cache policy, or what the older settings of a behaviour say in its place."""
    if not behaviour.get("CachePolicyId"):
        minimum, default, maximum = times(behaviour)
        forwarded = behaviour.get("ForwardedValues") or {}
        whole: Literal["none", "all"] = "all" if forwarded.get("QueryString") else "none"
        return model.CachePolicy(
            minimum=minimum,
            default=default,
            maximum=maximum,
            gzip=True,
            query=model.Selection(whole),
            headers=_only(forwarded.get("Headers")),
        )
    policy = lookup("CachePolicy", behaviour["CachePolicyId"])
    minimum, default, maximum = times(policy)
    key = policy.get("ParametersInCacheKeyAndForwardedToOrigin") or {}
    return model.CachePolicy(
        minimum=minimum,
        default=default,
        maximum=maximum,
        gzip=bool(key.get("EnableAcceptEncodingGzip")),
        query=_selection(key.get("QueryStringsConfig"), "QueryString", "QueryStrings"),
        headers=_selection(key.get("HeadersConfig"), "Header", "Headers", lower_case=True),
        cookies=_selection(key.get("CookiesConfig"), "Cookie", "Cookies"),
    )


def _or(value: Any, otherwise: float) -> Any:
    return otherwise if value is None else value


def _only(listed: Any) -> model.Selection:
    names = frozenset(name.lower() for name in items(listed))
    return model.Selection("only", names) if names else model.Selection()


def _selection(config: Any, what: str, listed: str, *, lower_case: bool = False) -> model.Selection:
    said = config or {}
    names = (str(name) for name in items(said.get(listed)))
    return model.Selection(
        _SELECTIONS[said.get(f"{what}Behavior", "none")],
        frozenset(name.lower() if lower_case else name for name in names),
    )


def _error(response: Config) -> model.ErrorPage:
    status = response.get("ResponseCode")
    return model.ErrorPage(
        path=response.get("ResponsePagePath") or None,
        status=int(status) if status else None,
        minimum=float(_or(response.get("ErrorCachingMinTTL"), 10)),
    )


def _headers(policy: Config) -> model.HeadersPolicy:
    custom = [
        model.AddedHeader(each["Header"], each["Value"], bool(each["Override"]))
        for each in items(policy.get("CustomHeadersConfig"))
    ]
    return model.HeadersPolicy(
        added=(*_security(policy.get("SecurityHeadersConfig") or {}), *custom),
        removed=frozenset(each["Header"].lower() for each in items(policy.get("RemoveHeadersConfig"))),
        cors=_cors(policy["CorsConfig"]) if policy.get("CorsConfig") else None,
    )


def _security(config: Config) -> list[model.AddedHeader]:
    said: dict[str, tuple[str, Callable[[Config], str]]] = {
        "ContentSecurityPolicy": ("Content-Security-Policy", lambda each: str(each["ContentSecurityPolicy"])),
        "ContentTypeOptions": ("X-Content-Type-Options", lambda _: "nosniff"),
        "FrameOptions": ("X-Frame-Options", lambda each: str(each["FrameOption"])),
        "ReferrerPolicy": ("Referrer-Policy", lambda each: str(each["ReferrerPolicy"])),
        "StrictTransportSecurity": ("Strict-Transport-Security", _transport),
        "XSSProtection": ("X-XSS-Protection", _xss),
    }
    return [
        model.AddedHeader(header, value(config[key]), bool(config[key].get("Override")))
        for key, (header, value) in said.items()
        if config.get(key)
    ]


def _transport(config: Config) -> str:
    words = [f"max-age={config['AccessControlMaxAgeSec']}"]
    words += ["includeSubDomains"] if config.get("IncludeSubdomains") else []
    return "; ".join([*words, "preload"] if config.get("Preload") else words)


def _xss(config: Config) -> str:
    if not config.get("Protection"):
        return "0"
    return "1; mode=block" if config.get("ModeBlock") else "1"


def _cors(config: Config) -> model.Cors:
    methods = tuple(items(config["AccessControlAllowMethods"]))
    return model.Cors(
        origins=tuple(items(config["AccessControlAllowOrigins"])),
        methods=("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS") if "ALL" in methods else methods,
        headers=tuple(items(config["AccessControlAllowHeaders"])),
        exposed=tuple(items(config.get("AccessControlExposeHeaders"))),
        credentials=bool(config["AccessControlAllowCredentials"]),
        max_age=config.get("AccessControlMaxAgeSec"),
        override=bool(config["OriginOverride"]),
    )
