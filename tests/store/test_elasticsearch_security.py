"""TLS, users and rights, on a real node with its own certificate authority."""

from __future__ import annotations

import hashlib
import ssl
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.real_elasticsearch import Node, Server
from store.elasticsearch import ElasticsearchPostStore
from store.elasticsearch_client import Address, ClusterAway
from tingfeng.records import Post

PASSWORD = "an-invented-password"
Open = Callable[..., ElasticsearchPostStore]


@dataclass(frozen=True)
class Secured:
    """A node with TLS and users; `ca` signed it, `other_ca` did not."""

    node: Node
    ca: Path
    other_ca: Path

    @property
    def fingerprint(self) -> str:
        pem = ssl.get_server_certificate(("127.0.0.1", self.node.port))
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def unzip(file: Path, folder: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)


@pytest.fixture(scope="module")
def secured(es_server: Server) -> Iterator[Secured]:
    node = es_server.configure("secured", {
        "xpack.security.enabled": True, "xpack.security.http.ssl.enabled": True, "xpack.security.http.ssl.key": "node/node.key",
        "xpack.security.http.ssl.certificate": "node/node.crt", "xpack.security.http.ssl.certificate_authorities": "ca/ca.crt",
    })  # fmt: skip
    conf, work = node.folder / "config", node.folder
    for name in ("ca", "other"):
        es_server.run("elasticsearch-certutil", "ca", "--pem", "--silent", "--out", str(work / f"{name}.zip"))
        unzip(work / f"{name}.zip", conf if name == "ca" else work / "other")
    es_server.run("elasticsearch-certutil", "cert", "--pem", "--silent", "--name", "node", "--ca-cert", str(conf / "ca/ca.crt"), "--ca-key",
                  str(conf / "ca/ca.key"), "--ip", "127.0.0.1", "--dns", "localhost", "--out", str(work / "node.zip"))  # fmt: skip
    unzip(work / "node.zip", conf)
    es_server.give(work)
    for user, role in (("writer", "superuser"), ("reader", "viewer")):
        es_server.run("elasticsearch-users", "useradd", user, "-p", PASSWORD, "-r", role, conf=conf)
    node.secure = True
    node.start()
    node.wait()
    yield Secured(node, conf / "ca/ca.crt", work / "other/ca/ca.crt")
    node.stop()


@pytest.fixture
def open_with(secured: Secured, tmp_path: Path) -> Iterator[Open]:
    opened: list[ElasticsearchPostStore] = []

    def do(user: str = "writer", password: str = PASSWORD, scheme: str = "https", **options: Any) -> ElasticsearchPostStore:
        address = Address((f"{scheme}://{secured.node.host}",), user=user, password=password, timeout_seconds=10, **options)
        opened.append(ElasticsearchPostStore(address, tmp_path / f"spool{len(opened)}.db"))
        return opened[-1]

    yield do
    for store in opened:
        store.close()


def test_a_known_authority_or_fingerprint_is_trusted(open_with: Open, secured: Secured, post: Callable[..., Post]) -> None:
    by_ca, by_print = open_with(ca_file=str(secured.ca)), open_with(fingerprint=secured.fingerprint)
    by_ca.add_posts([post(1)])
    assert by_print.known_ids([post(1).id]) == {post(1).id}


def test_another_authority_is_refused_and_posts_wait(open_with: Open, secured: Secured, post: Callable[..., Post]) -> None:
    for options in ({"ca_file": str(secured.other_ca)}, {"fingerprint": "00" * 32}):
        store = open_with(**options)
        assert store.add_posts([post(2)]).spooled == (post(2).id,)
        with pytest.raises(ClusterAway, match="证书没有通过检查"):
            store.search()


def test_a_wrong_password_is_named_and_not_repeated(open_with: Open, secured: Secured, post: Callable[..., Post], caplog: pytest.LogCaptureFixture) -> None:
    store = open_with(password="not-the-password", ca_file=str(secured.ca))
    assert store.add_posts([post(3)]).spooled
    with pytest.raises(ClusterAway, match="密码") as refused:
        store.health()
    assert "not-the-password" not in refused.value.message + repr(store.cluster.address) + caplog.text


def test_an_api_key_that_expired_is_named(open_with: Open, secured: Secured) -> None:
    store = open_with(user="", password="", api_key="ZXhwaXJlZDprZXk=", ca_file=str(secured.ca))
    with pytest.raises(ClusterAway, match="已过期"):
        store.search()


def test_who_may_only_read_can_search_but_not_write(open_with: Open, secured: Secured, post: Callable[..., Post]) -> None:
    writer = open_with(ca_file=str(secured.ca))
    writer.add_posts([post(4)])
    assert writer.search(with_unmatched=True).total >= 1  # an unjudged post is shown by who may write
    reader = open_with(user="reader", ca_file=str(secured.ca))
    assert reader.get_post(post(4).id) == post(4)
    # who may not ask for a refresh sees what others write when the index shows it by itself, after a second
    deadline = time.monotonic() + 20
    while not reader.search(with_unmatched=True).total and time.monotonic() < deadline:
        time.sleep(0.2)
    assert reader.search(with_unmatched=True).total >= 1
    assert reader.add_posts([post(5)]).spooled == (post(5).id,)
    with pytest.raises(ClusterAway, match="没有权限"):
        reader.drain()


def test_plain_words_to_a_tls_port_are_explained(open_with: Open) -> None:
    with pytest.raises(ClusterAway, match="连不上"):
        open_with(scheme="http").search()
