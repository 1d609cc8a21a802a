"""A network that refuses, crawls, or swallows everything between us and PostgreSQL: waited for, noticed, got over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest

from benchmarks.postgres import PrivateCluster
from benchmarks.proxy import BadProxy
from store.desk import Desk, WatchCommit, open_desk
from store.desk_errors import LostConnection
from tingfeng.clock import parse_iso
from tingfeng.records import Notification

NOW = parse_iso("2026-11-14T18:00")


@pytest.fixture
def proxy(private_cluster: PrivateCluster) -> Iterator[BadProxy]:
    found = BadProxy(private_cluster.port)
    yield found
    found.close()


@pytest.fixture
def desk(proxy: BadProxy, private_cluster: PrivateCluster) -> Iterator[Desk]:
    """A Desk behind the proxy."""
    parts = urlsplit(private_cluster.new_database())
    place = f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}"
    found = open_desk(urlunsplit(parts._replace(netloc=place, query="connect_timeout=2")))
    found.answer_seconds = 1.0
    yield found
    found.close()


def heal_later(proxy: BadProxy, seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, lambda: setattr(proxy, "mode", "pass"))
    timer.start()
    return timer


def test_a_connection_that_answers_nothing_is_hung_up_and_the_call_repeated(desk: Desk, proxy: BadProxy) -> None:
    proxy.mode = "stall"
    timer = heal_later(proxy, 1.5)
    desk.set_value("a", "b", "c", NOW)
    timer.join()
    assert desk.get_value("a", "b") == "c"


def test_a_network_that_stays_dead_ends_in_words(desk: Desk, proxy: BadProxy) -> None:
    desk.patience_seconds = 0.0
    proxy.mode = "stall"
    with pytest.raises(LostConnection, match=r"断开|超时"):
        desk.health()


def test_refused_connections_are_tried_again(desk: Desk, proxy: BadProxy) -> None:
    with desk.hold("x"):  # one connection is in use, the next must be made anew
        desk._engine.dispose()
        proxy.mode = "refuse"
        timer = heal_later(proxy, 1.0)
        desk.set_value("a", "b", "c", NOW)
    timer.join()
    assert proxy.accepted > 2


def test_a_slow_network_is_only_slow(desk: Desk, proxy: BadProxy) -> None:
    proxy.mode = "slow"
    desk.answer_seconds = 30.0
    desk.commit_watch(WatchCommit(notifications=[Notification("n1", "a", "open", "main", "first", NOW, NOW)]), NOW)
    assert [one.id for one in desk.claim_notifications("w", NOW)] == ["n1"]


def test_an_answer_that_was_swallowed_is_no_second_commit(desk: Desk, proxy: BadProxy) -> None:
    desk.commit_watch(WatchCommit(notifications=[Notification("n1", "a", "open", "main", "first", NOW, NOW)]), NOW)
    desk.claim_notifications("w", NOW)
    desk.begin_attempt("n1", "w", NOW)
    proxy.mode = "stall"
    timer = heal_later(proxy, 1.5)
    assert desk.finish_notification("n1", "queued", NOW, worker="w", due_at=NOW + timedelta(minutes=1))
    timer.join()
    assert [(one.outcome, one.attempts) for one in desk.notifications(NOW)] == [("queued", 1)]


def test_a_lock_is_waited_for_when_the_server_is_away_for_a_moment(desk: Desk, private_cluster: PrivateCluster) -> None:
    desk.health()
    private_cluster.kill()
    starter = threading.Timer(0.5, private_cluster.start)
    starter.start()
    with desk.hold("watch") as mine:
        assert mine
    starter.join()
