"""ElastiCache: the API on top, Valkey servers below, both real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis
from botocore.exceptions import ClientError
from redis.backoff import NoBackoff
from redis.retry import Retry

from seatrial.emulator import process
from tests.functional.emulator.support import Running, emulator, eventually, listening_in

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulator(tmp_path_factory.mktemp("elasticache")) as started:
        yield started


def group(running: Running, identifier: str, **options: Any) -> dict[str, Any]:
    """A replication group as DescribeReplicationGroups tells it."""
    client = running.client("elasticache")
    client.create_replication_group(
        ReplicationGroupId=identifier,
        ReplicationGroupDescription="test",
        Engine="valkey",
        CacheNodeType="cache.t4g.micro",
        **options,
    )
    client.get_waiter("replication_group_available").wait(ReplicationGroupId=identifier)
    return dict(client.describe_replication_groups(ReplicationGroupId=identifier)["ReplicationGroups"][0])


def connect(endpoint: dict[str, Any], **options: Any) -> redis.Redis:
    once = Retry(NoBackoff(), 0)
    return redis.Redis(endpoint["Address"], endpoint["Port"], socket_timeout=10, retry=once, **options)


def trusted(running: Running) -> dict[str, Any]:
    """What a client must say to trust the emulator's authority."""
    page = process.status("local", running.project)
    assert page is not None
    return {"ssl": True, "ssl_ca_certs": page["authority"]}


def test_group_answers_at_every_endpoint_it_names(running: Running) -> None:
    found = group(running, "plain", TransitEncryptionEnabled=True, TransitEncryptionMode="preferred")
    node_group = found["NodeGroups"][0]
    with connect(node_group["PrimaryEndpoint"]) as primary:
        primary.set("part", "box 7")
    with connect(node_group["ReaderEndpoint"]) as reader:
        assert reader.get("part") == b"box 7"


def test_deleted_group_is_gone_with_its_server(running: Running) -> None:
    endpoint = group(running, "doomed")["NodeGroups"][0]["PrimaryEndpoint"]
    client = running.client("elasticache")
    client.delete_replication_group(ReplicationGroupId="doomed")
    with pytest.raises(ClientError, match="doomed not found"):
        client.describe_replication_groups(ReplicationGroupId="doomed")
    eventually(lambda: f"{endpoint['Address']}:6379" not in listening_in(running.info.block))


@pytest.mark.parametrize("command", ["CONFIG GET *", "SHUTDOWN", "DEBUG SLEEP 0", "BGSAVE", "REPLICAOF NO ONE"])
def test_commands_that_elasticache_restricts(running: Running, command: str) -> None:
    identifier = f"strict-{command.split(maxsplit=1)[0].lower()}"
    with (
        connect(group(running, identifier)["NodeGroups"][0]["PrimaryEndpoint"]) as cache,
        pytest.raises(redis.ResponseError, match="unknown command"),
    ):
        cache.execute_command(*command.split())


def test_required_encryption_takes_tls_and_the_token_only(running: Running) -> None:
    token = 'awkward "token" \\ of 24'
    found = group(running, "sealed", TransitEncryptionEnabled=True, AuthToken=token)
    assert found["TransitEncryptionMode"] == "required"
    endpoint = found["NodeGroups"][0]["PrimaryEndpoint"]
    with connect(endpoint, password=token, **trusted(running)) as cache:
        cache.set("big", b"x" * 300_000)
        assert cache.strlen("big") == 300_000
    with connect(endpoint, password="wrong", **trusted(running)) as cache, pytest.raises(redis.AuthenticationError):
        cache.ping()
    with connect(endpoint, password=token) as cache, pytest.raises(redis.ConnectionError):
        cache.ping()
    with (
        connect(endpoint, password=token, ssl=True) as cache,
        pytest.raises(redis.ConnectionError, match="certificate"),
    ):
        cache.ping()


def test_token_without_encryption_is_refused(running: Running) -> None:
    with pytest.raises(ClientError, match="in-transit encryption"):
        group(running, "open", AuthToken="a-token-of-16-chars")


def test_change_of_encryption_is_refused_and_said(running: Running) -> None:
    group(running, "fixed", TransitEncryptionEnabled=True, TransitEncryptionMode="preferred")
    client = running.client("elasticache")
    with pytest.raises(ClientError, match="does not change TransitEncryptionMode"):
        client.modify_replication_group(ReplicationGroupId="fixed", TransitEncryptionMode="required")
    client.modify_replication_group(ReplicationGroupId="fixed", ReplicationGroupDescription="another")
    found = client.describe_replication_groups(ReplicationGroupId="fixed")["ReplicationGroups"][0]
    assert found["Description"] == "another"


def test_cluster_mode_refuses_commands_across_slots(running: Running) -> None:
    found = group(running, "sharded", NumNodeGroups=2, ReplicasPerNodeGroup=0, ClusterMode="enabled")
    endpoint = found["ConfigurationEndpoint"]
    cluster = redis.RedisCluster(endpoint["Address"], endpoint["Port"])
    cluster.set("a", 1)
    assert cluster.get("a") == b"1"
    cluster.close()
    with connect(endpoint) as node, pytest.raises(redis.ResponseError, match="same slot"):
        node.mget("a", "b")


def test_single_cluster(running: Running) -> None:
    client = running.client("elasticache")
    client.create_cache_cluster(
        CacheClusterId="single", Engine="valkey", CacheNodeType="cache.t4g.micro", NumCacheNodes=1
    )
    found = client.describe_cache_clusters(CacheClusterId="single", ShowCacheNodeInfo=True)["CacheClusters"][0]
    with connect(found["CacheNodes"][0]["Endpoint"]) as cache:
        assert cache.ping()
    client.delete_cache_cluster(CacheClusterId="single")
    with pytest.raises(ClientError, match="single not found"):
        client.describe_cache_clusters(CacheClusterId="single")


def test_serverless_cache_speaks_tls_and_cluster(running: Running) -> None:
    client = running.client("elasticache")
    client.create_serverless_cache(ServerlessCacheName="Elastic", Engine="valkey")
    found = client.describe_serverless_caches(ServerlessCacheName="elastic")["ServerlessCaches"][0]
    endpoint = found["Endpoint"]
    cluster = redis.RedisCluster(endpoint["Address"], endpoint["Port"], **trusted(running))
    cluster.set("a", 1)
    with connect(found["ReaderEndpoint"], **trusted(running)) as reader:
        assert reader.get("a") == b"1"
    cluster.close()
    with pytest.raises(ClientError, match="already exists"):
        client.create_serverless_cache(ServerlessCacheName="elastic", Engine="valkey")
    assert (
        client.modify_serverless_cache(ServerlessCacheName="elastic", Description="d")["ServerlessCache"]["Description"]
        == "d"
    )
    client.delete_serverless_cache(ServerlessCacheName="elastic")
    with pytest.raises(ClientError, match="not found"):
        client.describe_serverless_caches(ServerlessCacheName="elastic")


def test_memcached_is_a_record_and_reported(running: Running) -> None:
    running.client("elasticache").create_cache_cluster(
        CacheClusterId="legacy", Engine="memcached", CacheNodeType="cache.t4g.micro", NumCacheNodes=1
    )
    page = process.status("local", running.project)
    assert page is not None
    assert "elasticache legacy (memcached)" in page["state_only"]
