"""ElastiCache whose Valkey and Redis caches are real servers.

moto keeps the records of replication groups and cache clusters, and knows nothing of serverless caches: those are all
ours. One server stands for a replication group, whatever its number of nodes, and a group in cluster mode is one node
that owns all slots, so that a command across slots fails as it would on AWS. Memcached stays a record and is reported.

Used of moto: ``ElastiCacheResponse``, ``elasticache_backends`` (``replication_groups``, ``cache_clusters``),
``ReplicationGroup.node_groups``/``configuration_endpoint``, ``CacheCluster.cache_nodes``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.emulator.data.tls import TlsRelay
from seatrial.emulator.data.valkey import ValkeyError, ValkeyOptions, ValkeyServer
from seatrial.emulator.front.actions import ApiError, install, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.emulator.addresses import Addresses
    from seatrial.emulator.children import Children
    from seatrial.emulator.clock import Clock
    from seatrial.emulator.loadbalancing.certificates import Authority
    from seatrial.emulator.settings import EmulatorSettings

_ENGINES = ("valkey", "redis")
_SERVERLESS_READER_PORT = 6380


@dataclass
class Cache:
    """One cache with a server. Clients connect to ``address``: the server's own, or its TLS relay's."""

    kind: str
    identifier: str
    server: ValkeyServer
    address: str
    port: int
    relays: tuple[TlsRelay, ...]

    def stop(self) -> None:
        """Stop relays and server; the data stays."""
        for relay in self.relays:
            relay.stop()
        self.server.stop()


class ElastiCache:
    """Valkey behind ElastiCache. Safe to call from any thread."""

    def __init__(
        self, settings: EmulatorSettings, clock: Clock, addresses: Addresses, children: Children, authority: Authority
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._addresses = addresses
        self._children = children
        self._authority = authority
        self._caches: dict[tuple[str, str], Cache] = {}
        self._serverless: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def install(self) -> None:
        """Take over the actions that touch a server."""
        from moto.elasticache.responses import ElastiCacheResponse

        wrapped = {
            "create_replication_group": self._create_group,
            "modify_replication_group": self._modify_group,
            "delete_replication_group": self._delete_group,
            "create_cache_cluster": self._create_cluster,
            "delete_cache_cluster": self._delete_cluster,
        }
        wrap(ElastiCacheResponse, wrapped)
        own = {
            "create_serverless_cache": self._create_serverless,
            "modify_serverless_cache": self._modify_serverless,
            "describe_serverless_caches": self._describe_serverless,
            "delete_serverless_cache": self._delete_serverless,
        }
        install(ElastiCacheResponse, own)

    def stop(self) -> None:
        """Stop every server; the data stays."""
        with self._lock:
            for cache in self._caches.values():
                cache.stop()

    def describe(self) -> list[dict[str, Any]]:
        """Return the caches for the status page."""
        return [
            {
                "identifier": cache.identifier,
                "kind": cache.kind,
                "endpoint": f"{'rediss' if cache.relays else 'redis'}://{cache.address}:{cache.port}",
            }
            for cache in list(self._caches.values())
        ]

    def addresses(self) -> list[tuple[str, int]]:
        """Return where clients reach the caches."""
        return [(each.address, each.port) for each in list(self._caches.values())]

    def state_only(self) -> list[str]:
        """Return the caches that are records without a server."""
        return [
            f"elasticache {each.cache_cluster_id} ({each.engine})"
            for each in list(self._backend().cache_clusters.values())
            if ("cluster", each.cache_cluster_id) not in self._caches
        ]

    # Replication groups

    def _create_group(self, params: Any, own: Callable[[], Any]) -> Any:
        token, encrypted = params.get("AuthToken"), _is_true(params.get("TransitEncryptionEnabled"))
        if token and not encrypted:
            raise ApiError(
                "InvalidParameterCombination",
                "The AUTH token can only be set when in-transit encryption is enabled (TransitEncryptionEnabled).",
            )
        mode = params.get("TransitEncryptionMode") or "required"
        clustered = params.get("ClusterMode") == "enabled" or int(params.get("NumNodeGroups") or 1) > 1
        answer = own()
        group = answer.result["ReplicationGroup"]
        if encrypted:
            group.transit_encryption_mode = mode
        cache = self._start(
            "replication-group",
            group.replication_group_id,
            int(group.port),
            tls=encrypted and mode == "required",
            options=self._options(token, clustered=clustered),
            undo=lambda: self._backend().replication_groups.pop(group.replication_group_id, None),
        )
        for address, at in _group_endpoints(group, cache):
            at["address"], at["port"] = address, cache.port
        return answer

    def _modify_group(self, params: Any, own: Callable[[], Any]) -> Any:
        group = self._backend().replication_groups.get(params.get("ReplicationGroupId"))
        for name, now in (
            ("TransitEncryptionMode", getattr(group, "transit_encryption_mode", None)),
            ("TransitEncryptionEnabled", getattr(group, "transit_encryption_enabled", None)),
            ("AuthToken", None),
        ):
            wanted = params.get(name)
            if group is not None and wanted is not None and wanted != now:
                raise ApiError(
                    "InvalidParameterValue",
                    f"The emulator does not change {name} of an existing replication group: delete it and create it "
                    "anew.",
                )
        return own()

    def _delete_group(self, params: Any, own: Callable[[], Any]) -> Any:
        answer = own()
        identifier = params["ReplicationGroupId"]
        self._backend().replication_groups.pop(identifier, None)  # moto would keep it "deleting" for ever
        self._remove("replication-group", identifier)
        return answer

    # Single clusters

    def _create_cluster(self, params: Any, own: Callable[[], Any]) -> Any:
        answer = own()
        if params.get("Engine", "redis") not in _ENGINES or params.get("ReplicationGroupId"):
            return answer
        cluster = answer.result["CacheCluster"]
        cluster.num_cache_nodes = 1
        cache = self._start(
            "cluster",
            cluster.cache_cluster_id,
            int(cluster.port),
            tls=_is_true(params.get("TransitEncryptionEnabled")),
            options=self._options(params.get("AuthToken"), clustered=False),
            undo=lambda: self._backend().cache_clusters.pop(cluster.cache_cluster_id, None),
        )
        endpoint = {"Address": cache.address, "Port": cache.port}
        cluster.cache_nodes = [{"CacheNodeId": "0001", "CacheNodeStatus": "available", "Endpoint": endpoint}]
        return answer

    def _delete_cluster(self, params: Any, own: Callable[[], Any]) -> Any:
        answer = own()
        self._backend().cache_clusters.pop(params["CacheClusterId"], None)
        self._remove("cluster", params["CacheClusterId"])
        return answer

    # Serverless caches (always TLS, always cluster mode)

    def _create_serverless(self, params: dict[str, Any]) -> dict[str, Any]:
        name, engine = params["ServerlessCacheName"].lower(), params["Engine"]
        if engine not in _ENGINES:
            raise ApiError("InvalidParameterValue", f"The emulator has no serverless {engine}, only valkey and redis.")
        if name in self._serverless:
            raise ApiError("ServerlessCacheAlreadyExistsFault", f"Serverless Cache {name} already exists")
        cache = self._start("serverless", name, 6379, tls=True, options=self._options(None, clustered=True))
        record = {
            "ServerlessCacheName": name,
            "Description": params.get("Description", ""),
            "CreateTime": self._clock.now(),
            "Status": "available",
            "Engine": engine,
            "MajorEngineVersion": params.get("MajorEngineVersion") or ("8" if engine == "valkey" else "7"),
            "SecurityGroupIds": params.get("SecurityGroupIds") or [],
            "SubnetIds": params.get("SubnetIds") or [],
            "Endpoint": {"Address": cache.address, "Port": cache.port},
            "ReaderEndpoint": {"Address": cache.address, "Port": _SERVERLESS_READER_PORT},
            "ARN": f"arn:aws:elasticache:{self._settings.region}:{self._settings.account}:serverlesscache:{name}",
        }
        for optional in ("CacheUsageLimits", "KmsKeyId", "UserGroupId", "SnapshotRetentionLimit", "DailySnapshotTime"):
            if params.get(optional) is not None:
                record[optional] = params[optional]
        self._serverless[name] = record
        return {"ServerlessCache": record}

    def _modify_serverless(self, params: dict[str, Any]) -> dict[str, Any]:
        record = self._found_serverless(params["ServerlessCacheName"])
        for name in (
            "Description",
            "CacheUsageLimits",
            "UserGroupId",
            "SecurityGroupIds",
            "SnapshotRetentionLimit",
            "DailySnapshotTime",
        ):
            if params.get(name) is not None:
                record[name] = params[name]
        return {"ServerlessCache": record}

    def _describe_serverless(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params.get("ServerlessCacheName")
        return {"ServerlessCaches": [self._found_serverless(name)] if name else list(self._serverless.values())}

    def _delete_serverless(self, params: dict[str, Any]) -> dict[str, Any]:
        record = self._found_serverless(params["ServerlessCacheName"])
        del self._serverless[record["ServerlessCacheName"]]
        self._remove("serverless", record["ServerlessCacheName"])
        return {"ServerlessCache": record | {"Status": "deleting"}}

    def _found_serverless(self, name: str) -> dict[str, Any]:
        try:
            return self._serverless[name.lower()]
        except KeyError:
            raise ApiError("ServerlessCacheNotFoundFault", f"ServerlessCache {name} not found") from None

    # Servers

    def _options(self, token: str | None, *, clustered: bool) -> ValkeyOptions:
        return ValkeyOptions(password=token, cluster=clustered, keep=self._settings.keep)

    def _start(
        self,
        kind: str,
        identifier: str,
        port: int,
        *,
        tls: bool,
        options: ValkeyOptions,
        undo: Callable[[], object] = lambda: None,
    ) -> Cache:
        """Start a server, with a TLS relay in front where ``tls``. ``undo`` takes moto's record back on failure."""
        address = self._addresses.store()
        inner = self._addresses.store() if tls else address
        server = ValkeyServer(
            self._settings.state / "valkey" / f"{kind}-{identifier}",
            inner,
            port,
            children=self._children,
            log=self._log(f"valkey-{identifier}.log"),
            options=options,
            announced=address,
        )
        relays: list[TlsRelay] = []
        try:
            server.start()
            if tls:
                ports = (port, _SERVERLESS_READER_PORT) if kind == "serverless" else (port,)
                certificate = self._authority.issue([], address)
                for each in ports:
                    relay = TlsRelay(certificate, (address, each), (inner, port))
                    relay.start()
                    relays.append(relay)
        except (ValkeyError, OSError) as error:
            for started in relays:
                started.stop()
            server.stop()
            undo()
            raise ApiError("InsufficientCacheClusterCapacity", str(error)) from error
        cache = Cache(kind, identifier, server, address, port, tuple(relays))
        with self._lock:
            self._caches[kind, identifier] = cache
        return cache

    def _remove(self, kind: str, identifier: str) -> None:
        with self._lock:
            cache = self._caches.pop((kind, identifier), None)
        if cache is not None:
            cache.stop()
            cache.server.remove()

    def _log(self, name: str) -> Any:
        directory = self._settings.state / "logs"
        directory.mkdir(parents=True, exist_ok=True)
        return directory / name

    def _backend(self) -> Any:
        from moto.elasticache.models import elasticache_backends

        return elasticache_backends[self._settings.account][self._settings.region]


def _group_endpoints(group: Any, cache: Cache) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (address, endpoint of moto's record) for every endpoint of a replication group."""
    if getattr(group, "configuration_endpoint", None):
        yield cache.address, group.configuration_endpoint
    for node_group in group.node_groups:
        if "primary_endpoint" in node_group:
            node_group["reader_endpoint"] = {}
            yield cache.address, node_group["primary_endpoint"]
            yield cache.address, node_group["reader_endpoint"]
        for member in node_group["node_group_members"]:
            if "read_endpoint" in member:
                yield cache.address, member["read_endpoint"]


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
