"""What goes wrong with the Desk's database is told in words: what, where, what to do; never with a password."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from sqlalchemy import make_url

from benchmarks.postgres import PrivateCluster, free_port
from store.desk import Desk, WatchCommit, open_desk
from store.desk_core import read_url
from store.desk_errors import LostConnection, place_of, refuse_old_server
from tingfeng.clock import parse_iso
from tingfeng.errors import StoreError
from tingfeng.records import Notification

NOW = parse_iso("2026-11-14T18:00")
SECRET = "geheim-7Qx9"


def with_login(url: str, user: str, password: str, database: str = "") -> str:
    """The same server, another user."""
    parts = urlsplit(url)
    path = f"/{database}" if database else parts.path
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}", path=path))


def refused(url: str) -> str:
    """The message of a refused opening, with its whole chain of causes."""
    with pytest.raises(StoreError) as caught:
        open_desk(url, patience_seconds=0)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "nonsense://x", "desk.db", "mysql://u:geheim-7Qx9@h/d", "postgresql://u:geheim-7Qx9@h:port/d", "postgresql://u:geheim-7Qx9@h",
        "postgresql+nodriver://u:geheim-7Qx9@h",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_with_an_example(url: str) -> None:
    message = refused(url)
    assert message.startswith("desk_url:")
    assert "例如 sqlite:///" in message


def test_postgres_addresses_mean_psycopg_3() -> None:
    names = [read_url(f"{scheme}://u:p@h/d").drivername for scheme in ("postgres", "postgresql", "postgresql+psycopg2")]
    assert names == ["postgresql+psycopg"] * 3


def test_a_place_never_shows_user_password_or_options() -> None:
    url = make_url(f"postgresql://ting:{SECRET}@db.example:5433/desk?password={SECRET}&sslmode=require")
    assert place_of(url) == "postgresql://db.example:5433/desk"
    assert place_of(make_url("postgresql:///desk?host=/run/pg")) == "postgresql:///run/pg/desk"


def test_nobody_listens() -> None:
    message = refused(f"postgresql://u:{SECRET}@127.0.0.1:{free_port()}/desk")
    assert "拒绝连接" in message
    assert "是否在运行" in message


def test_no_such_host() -> None:
    assert "主机名" in refused(f"postgresql://u:{SECRET}@nowhere.invalid/desk")


def test_no_such_socket() -> None:
    assert "套接字" in refused(f"postgresql://u:{SECRET}@/desk?host=/nonexistent")


def test_a_wrong_password(private_cluster: PrivateCluster) -> None:
    message = refused(private_cluster.url(password=SECRET))
    assert "用户名或密码不对" in message
    assert "TINGFENG_DESK_URL" in message


def test_no_password(private_cluster: PrivateCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/nonexistent")
    assert "没有给密码" in refused(private_cluster.url(password=""))


def test_no_such_database(private_cluster: PrivateCluster) -> None:
    message = refused(private_cluster.url("not_there"))
    assert "没有这个数据库" in message
    assert "createdb" in message


def test_tls_that_the_server_does_not_speak(private_cluster: PrivateCluster) -> None:
    assert "没有开 TLS" in refused(private_cluster.url() + "?sslmode=require")


@pytest.mark.parametrize(("version", "fine"), [(130_012, False), (140_000, True), (180_001, True)])
def test_servers_before_14_are_refused(version: int, fine: bool) -> None:
    url = make_url(f"postgresql://u:{SECRET}@h/d")
    if fine:
        refuse_old_server(version, url)
    else:
        with pytest.raises(StoreError, match=r"PostgreSQL 13 太旧.*升级到 14"):
            refuse_old_server(version, url)


@pytest.fixture
def limited(new_postgres: Callable[[], str], postgres_admin: str) -> Iterator[Callable[[str], str]]:
    """A database, and a user of it after the given SQL."""
    url = new_postgres()
    name = urlsplit(url).path[1:]

    def prepare(statement: str) -> str:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE u_{name} LOGIN PASSWORD '{SECRET}'")
            connection.execute(statement.format(user=f"u_{name}", database=name))
        return with_login(url, f"u_{name}", SECRET)

    yield prepare
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY u_{name}")
    with psycopg.connect(postgres_admin, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} OWNER TO CURRENT_USER")
        connection.execute(f"DROP ROLE u_{name}")


def test_a_read_only_server(limited: Callable[[str], str]) -> None:
    url = limited("ALTER DATABASE {database} OWNER TO {user}; ALTER ROLE {user} SET default_transaction_read_only = on")
    assert "数据库只读" in refused(url)


def test_a_user_without_rights(limited: Callable[[str], str]) -> None:
    message = refused(limited("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    assert "没有权限" in message
    assert "OWNER TO" in message


def test_a_user_out_of_connections(limited: Callable[[str], str]) -> None:
    assert "连接用完" in refused(limited("ALTER ROLE {user} CONNECTION LIMIT 0"))


def test_a_lock_that_does_not_come(new_postgres: Callable[[], str]) -> None:
    url = new_postgres()
    open_desk(url).close()
    desk = open_desk(f"{url}?options=-c%20lock_timeout%3D100", patience_seconds=0)
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE kept")
        with pytest.raises(StoreError, match="等一把锁太久"):
            desk.set_value("a", "b", "c", NOW)
    desk.close()


def test_a_server_that_goes_and_comes_back_costs_no_call(private_cluster: PrivateCluster) -> None:
    desk = open_desk(private_cluster.new_database())
    desk.set_value("a", "restart", "1", NOW)
    private_cluster.restart_hard()
    assert desk.get_value("a", "restart") == "1"
    desk.close()


def test_a_server_that_stays_away_is_an_error_in_words(private_cluster: PrivateCluster) -> None:
    desk = open_desk(private_cluster.new_database(), patience_seconds=0.5)
    private_cluster.kill()
    with pytest.raises(LostConnection, match="拒绝连接"):
        desk.health()
    private_cluster.start()
    assert desk.health()["engine"] == "postgresql"
    desk.close()


def test_neither_password_nor_posts_are_logged(
    private_cluster: PrivateCluster, caplog: pytest.LogCaptureFixture
) -> None:
    word = urlsplit(private_cluster.url()).password or "?"
    caplog.set_level(logging.DEBUG)
    desk = open_desk(private_cluster.new_database())
    broken = Notification("n1", "a1", "open", "pr", "first", NOW, NOW, title=object(), body=SECRET)  # type: ignore[arg-type]
    with pytest.raises(StoreError) as caught:
        desk.commit_watch(WatchCommit(notifications=[broken]), NOW)
    desk.close()
    told = caplog.text + "".join(traceback.format_exception(caught.value))
    assert word not in told
    assert SECRET not in told


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "desk.db").mkdir()
    with pytest.raises(StoreError, match=r"desk\.db:打不开数据库"):
        open_desk(f"sqlite:///{tmp_path / 'desk.db'}")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "desk.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="这不是数据库文件"):
        open_desk(f"sqlite:///{tmp_path / 'desk.db'}")


def test_the_lock_between_machines_is_free_after_its_holder(new_postgres: Callable[[], str]) -> None:
    first, second = (open_desk(url) for url in [new_postgres()] * 2)
    with first.hold("watch") as mine, second.hold("watch") as other, second.hold("collect") as another:
        assert (mine, other, another) == (True, False, True)
    with second.hold("watch") as mine:
        assert mine
    first.close()
    second.close()


def test_sqlite_has_no_lock_between_machines(tmp_path: Path) -> None:
    desk = open_desk(f"sqlite:///{tmp_path / 'desk.db'}")
    with desk.hold("watch") as mine:
        assert (mine, desk.is_shared, isinstance(desk, Desk)) == (True, False, True)
    desk.close()
