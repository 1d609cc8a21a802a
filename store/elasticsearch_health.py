"""What `doctor` shows of the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from store.elasticsearch_client import Cluster, ClusterAway, Json
from store.elasticsearch_schema import Indices
from store.elasticsearch_spool import Spool
from store.posts import StoreHealth
from tingfeng.errors import StoreError

FULL_PERCENT = 85


def read_health(indices: Indices, spool: Spool) -> StoreHealth:
    """Counts and problems in words. Raises ClusterAway when nobody answers."""
    cluster = indices.cluster
    alive: Json = {"must_not": [{"term": {"gone": True}}]}
    posts = count(cluster, indices.alias("posts"), alive)
    unjudged = count(cluster, indices.alias("posts"), alive | {"filter": [{"term": {"judged": False}}]})
    mentions = count(cluster, indices.alias("mentions"), {"filter": [{"term": {"matched": True}}]})
    problems = [*find_problems(indices), *find_waiting(spool)]
    unfinished = count(cluster, indices.alias("posts"), {"filter": [{"term": {"open": True}}]})
    detail = {"version": cluster.version() or "?", "set": str(indices.number), "unfinished": str(unfinished), "spooled": str(spool.waiting())}
    return StoreHealth(
        "elasticsearch", cluster.address.shown, posts, mentions, unjudged, read_bytes(indices), tuple(problems), detail
    )


def count(cluster: Cluster, index: str, clauses: Json) -> int:
    """Documents that meet a bool query."""
    return int(cluster.call("POST", f"/{index}/_count", {"query": {"bool": clauses}})["count"])


def read_bytes(indices: Indices) -> int:
    """Size on disk of the primaries; 0 where it is not told."""
    try:
        names = ",".join(f"{indices.alias(family)}-*" for family in ("places", "posts", "mentions"))
        stats = indices.cluster.call("GET", f"/{names}/_stats/store", filter_path="_all.primaries.store.size_in_bytes")
        return int(stats["_all"]["primaries"]["store"]["size_in_bytes"])
    except ClusterAway:
        raise
    except (StoreError, KeyError):  # no right to ask
        return 0


def find_problems(indices: Indices) -> Iterator[str]:
    """Of the cluster: red shards, blocks, full disks."""
    cluster, prefix = indices.cluster, indices.cluster.address.prefix
    state = cluster.call("GET", f"/_cluster/health/{prefix}*", level="indices")
    if state["status"] == "red":
        red = sorted(name for name, one in state.get("indices", {}).items() if one["status"] == "red")
        yield f"有分片不可用(红色):{'、'.join(red[:5])};请看节点是否都在"
    for name, one in sorted(cluster.call("GET", f"/{prefix}*/_settings/index.blocks.*").items()):
        yield f"索引 {name} 只读({'、'.join(one['settings']['index']['blocks'])});磁盘腾出后解除"
    disks = cluster.call("GET", "/_nodes/_all/stats/fs", filter_path="nodes.*.name,nodes.*.fs.total")
    for node in disks.get("nodes", {}).values():
        total = node.get("fs", {}).get("total", {})
        if total.get("total_in_bytes") and 100 * (1 - total["available_in_bytes"] / total["total_in_bytes"]) > FULL_PERCENT:
            yield f"节点 {node['name']} 的磁盘用了 {100 * (1 - total['available_in_bytes'] / total['total_in_bytes']):.0f}%;到 95% 集群会变成只读"


def find_waiting(spool: Spool) -> Iterator[str]:
    """What lies on this machine instead of in the cluster."""
    if waiting := spool.waiting():
        yield f"有 {waiting} 条帖子暂存在本机,等集群恢复后补写"
    if dead := spool.dead():
        yield f"有 {dead} 条被集群拒收;用 tingfeng deadletter 查看"
