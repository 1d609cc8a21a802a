"""The wire to Elasticsearch: connecting, one call, and errors in words. The only import of the client library.

Only server-core APIs are called (no scripts, no *_by_query, no pipeline aggregations), so every licence and every 8.x or 9.x server will do.
Secrets reach the constructor and nothing else: no message, log line or repr repeats them.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import elastic_transport
import elasticsearch
from elasticsearch import Elasticsearch

from tingfeng.errors import SettingsError, StoreError

Json = dict[str, Any]
MAJORS = (8, 9)
WAITS = (0.5, 2.0)
COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
INDEX_NAME = re.compile(r"[a-z][a-z0-9_-]{0,60}")
RED = frozenset({"no_shard_available_action_exception", "unavailable_shards_exception", "search_phase_execution_exception"})
CLOSED = "index_closed_exception"
PLAIN, SECURE = "elasticsearch://", "elasticsearchs://"


class ClusterAway(StoreError):
    """The cluster cannot take the write now (away, blocked, full, refusing us): what is to be kept goes to the spool."""


class ClusterBusy(ClusterAway):
    """Too busy, or a shard is moving: may well work in a moment."""


class NotAllowed(ClusterAway):
    """The account has no right to this call."""


class IndexBlocked(ClusterAway):
    """An index takes no writes: an operator's block, a full disk, or a reindex that is about to switch to the next set."""


class IndexGone(StoreError):
    """An index that we named is not there."""


@dataclass(frozen=True, repr=False)
class Address:
    """Where the cluster is and how to be let in; `prefix` begins every name of ours there."""

    hosts: tuple[str, ...]
    prefix: str = "tingfeng-"
    ca_file: str = ""
    fingerprint: str = ""
    api_key: str = ""
    user: str = ""
    password: str = ""
    timeout_seconds: float = 30.0

    def __repr__(self) -> str:
        return f"Address({self.shown})"

    @property
    def shown(self) -> str:
        """For messages: hosts and prefix only."""
        return f"{','.join(self.hosts)}/{self.prefix.removesuffix('-')}"


def read_address(url: str, **secrets: Any) -> Address:
    """`elasticsearch://[user:password@]host:port[,host:port…]/[prefix]`, `elasticsearchs://` for TLS. Raises SettingsError."""
    scheme = "https" if url.startswith(SECURE) else "http"
    rest = url.removeprefix(SECURE).removeprefix(PLAIN)
    places, _, prefix = rest.partition("/")
    login, _, places = places.rpartition("@")
    user, _, password = login.partition(":")
    hosts = []
    for place in filter(None, places.split(",")):
        try:
            found = urlsplit(f"{scheme}://{place}")
            port = found.port or 9200
        except ValueError:
            found, port = urlsplit(""), 0
        if not found.hostname or found.path or found.query:
            raise SettingsError("Elasticsearch 地址读不懂", where="posts_url", hint="请写成 elasticsearch://主机:9200/前缀,多台用逗号分开")
        hosts.append(f"{scheme}://{f'[{found.hostname}]' if ':' in found.hostname else found.hostname}:{port}")
    name = prefix.strip("/") or "tingfeng"
    if not hosts or not is_index_name(name):
        raise SettingsError("Elasticsearch 地址读不懂", where="posts_url", hint="要有主机;前缀只用小写字母、数字、- 和 _,以字母开头")
    given = {"user": unquote(user), "password": unquote(password)} if login else {}
    return Address(tuple(hosts), f"{name}-", **(secrets | given))


def is_index_name(name: str) -> bool:
    """Whether indices may be called so."""
    return INDEX_NAME.fullmatch(name) is not None


class Cluster:
    """Calls of the REST API with JSON in and out. Safe to share between threads."""

    def __init__(self, address: Address) -> None:
        self.address = address
        options: dict[str, Any] = {"request_timeout": address.timeout_seconds, "max_retries": 2, "retry_on_timeout": True, "retry_on_status": ()}
        if address.ca_file:
            options["ca_certs"] = address.ca_file
        elif address.fingerprint:
            options |= {"ssl_assert_fingerprint": address.fingerprint, "verify_certs": False, "ssl_show_warn": False}
        if address.api_key:
            options["api_key"] = address.api_key
        elif address.user:
            options["basic_auth"] = (address.user, address.password)
        try:
            self._client = Elasticsearch(list(address.hosts), **options)
        except (OSError, ValueError) as error:  # a CA file that is not there or is none
            raise SettingsError("连接参数不对", where="posts_url", hint=f"请检查 CA 文件与指纹({type(error).__name__})") from error

    def call(self, method: str, path: str, body: object = None, *, lines: bool = False, **params: Any) -> Json:
        """One request; a busy cluster is asked again, but for bulks (`lines`), whose items elasticsearch_bulk.py sends again one by one.

        Raises ClusterAway, IndexGone, StoreError.
        """
        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/x-ndjson" if lines else "application/json"
        if body is not None and not isinstance(body, bytes):
            body = dump_json(body)
        for wait in () if lines else WAITS:
            try:
                return self._send(method, path, params, headers, body)
            except ClusterBusy:
                time.sleep(random.uniform(0, wait))
        return self._send(method, path, params, headers, body)

    def _send(self, method: str, path: str, params: Json, headers: Mapping[str, str], body: object) -> Json:
        with explain_cluster(self.address):
            answer = self._client.perform_request(method, path, params=params, headers=headers, body=body)
        return answer.body if isinstance(answer.body, dict) else {"answer": answer.body}

    def search(self, index: str, body: Json, **params: Any) -> Json:
        """A search over an alias; parts of the answer that a shard could not give are an error, never a smaller number."""
        answer = self.call("POST", f"/{index}/_search" if index else "/_search", body, allow_partial_search_results="false", **params)
        if answer.get("timed_out"):
            raise ClusterAway("查询超时", where=self.address.shown, hint="请缩小时间范围后重试")
        return answer

    def walk(self, index: str, body: Json, size: int = 1000) -> Iterator[Json]:
        """Every hit of a sorted search, over one state of the index (PIT + search_after)."""
        pit = self.call("POST", f"/{index}/_pit", keep_alive="5m")["id"]
        try:
            after: list[object] = []
            while True:
                page = {**body, "size": size, "track_total_hits": False, "pit": {"id": pit, "keep_alive": "5m"}}
                if after:
                    page["search_after"] = after
                hits = self.search("", page)["hits"]["hits"]
                yield from hits
                if len(hits) < size:
                    return
                after = hits[-1]["sort"]
        finally:
            self.call("DELETE", "/_pit", {"id": pit})

    def mget(self, docs: Sequence[Json], **params: Any) -> list[Json]:
        """Documents by index and id, as written last (real time); `found` tells."""
        answers: list[Json] = []
        for start in range(0, len(docs), 1000):
            answers += self.call("POST", "/_mget", {"docs": list(docs[start : start + 1000])}, **params)["docs"]
        return answers

    def refresh(self, index: str) -> None:
        """Makes what was written visible to searches; who may only read has written nothing."""
        self.ask("POST", f"/{index}/_refresh")

    def ask(self, method: str, path: str, **params: Any) -> Json:
        """What is good to know but not needed: {} where we have no right to it, or the server has closed that API."""
        try:
            return self.call(method, path, **params)
        except ClusterAway as error:
            if not isinstance(error, NotAllowed):
                raise
        except StoreError:
            pass
        return {}

    def version(self) -> str:
        """The server's version; '' where it is not told. Raises StoreError for one that we cannot talk to."""
        nodes = self.ask("GET", "/_nodes/_all/none", filter_path="nodes.*.version")
        versions = sorted(node["version"] for node in nodes.get("nodes", {}).values())
        for version in versions:
            check_version(version, self.address)
        return versions[0] if versions else ""

    def close(self) -> None:
        self._client.close()


def check_version(version: str, address: Address) -> None:
    """Raises StoreError for a major version that the client library does not speak."""
    major = version.partition(".")[0]
    if major.isdigit() and int(major) not in MAJORS:
        raise ClusterAway(f"Elasticsearch 版本是 {version}", where=address.shown, hint="支持 8.x 与 9.x,请升级集群")


def dump_json(value: object) -> bytes:
    """Compact JSON; half surrogates, which UTF-8 has no bytes for, are written as escapes."""
    try:
        return COMPACT.encode(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def quote_name(name: str) -> str:
    """For a path."""
    return quote(name, safe="")


@contextmanager
def explain_cluster(address: Address) -> Iterator[None]:
    """Turns the library's errors into ours: what, where, what to do."""
    try:
        yield
    except elasticsearch.ApiError as error:
        raise explain_refusal(error.meta.status, error.body, address) from error
    except elastic_transport.TlsError as error:
        raise ClusterAway("TLS 证书没有通过检查", where=address.shown, hint="请检查 CA 文件或指纹是不是这个集群的,证书是否过期") from error
    except elasticsearch.ConnectionTimeout as error:
        raise ClusterAway("Elasticsearch 没有在限时内回答", where=address.shown, hint="请检查网络与集群负载;写入会先暂存在本机") from error
    except elasticsearch.TransportError as error:
        raise ClusterAway("连不上 Elasticsearch", where=address.shown, hint="请检查地址、端口与集群是否在运行;写入会先暂存在本机") from error


def explain_refusal(status: int, body: object, address: Address) -> StoreError:
    """An HTTP error in words. ClusterAway for what passes by itself or by an operator's hand."""
    error = body.get("error") if isinstance(body, Mapping) else None
    kind, reason = (str(error.get("type", "")), str(error.get("reason", ""))) if isinstance(error, Mapping) else ("", str(error or ""))
    causes = error.get("root_cause") or [{}] if isinstance(error, Mapping) else [{}]
    kinds = {kind, *(str(cause.get("type", "")) for cause in causes)}
    where = address.shown
    if "media_type_header_exception" in kinds or status == 406:
        return ClusterAway("集群不认识这个版本的客户端", where=where, hint="支持 Elasticsearch 8.x 与 9.x;不支持 OpenSearch")
    if status == 401:
        return ClusterAway("用户名、密码或 API key 不对,或已过期", where=where, hint="请检查 TINGFENG_POSTS_PASSWORD 或 TINGFENG_POSTS_API_KEY")
    if "cluster_block_exception" in kinds:
        return explain_block(reason, where)
    if CLOSED in kinds:
        return IndexBlocked("索引被关闭了", where=where, hint="请运维打开它(_open);暂存的会补写")
    if status == 403:
        return NotAllowed("这个账号没有权限", where=where, hint=f"请给它读写 {address.prefix}* 与管理索引模板的权限")
    if "index_not_found_exception" in kinds:
        return IndexGone("索引不存在", where=where, hint="可能刚被删除或重建;请重试,或运行 tingfeng doctor")
    if status in (429, 502, 503, 504) or (kinds & RED and status >= 500):
        return ClusterBusy(f"集群暂时答不了({kind or status})", where=where, hint="可能太忙,或有分片不可用(红色);请看 tingfeng doctor")
    return StoreError(f"Elasticsearch 拒绝了请求({status} {kind}:{reason[:200]})", where=where, hint="请运行 tingfeng doctor")


def explain_block(reason: str, where: str) -> IndexBlocked:
    """Why an index takes no writes."""
    if "read-only-allow-delete" in reason or "disk" in reason:
        return IndexBlocked("磁盘快满,集群把索引设成了只读", where=where, hint="请腾出空间或加节点;之后集群会自己解除,暂存的会补写")
    return IndexBlocked("索引被设成了只读", where=where, hint="可能正在 tingfeng reindex;否则请运维解除 index.blocks.write / read_only")
