"""Several machines on one Desk: one salt, locks that reach across, sources shared out, a watch that came too late writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from flows.collect import collect_sources, hosts_of
from flows.watch import watch_counts
from flows.wiring import Wiring
from tingfeng.clock import SimulatedClock, parse_iso
from tingfeng.errors import BusyError, SettingsError, StoreError

NOW = parse_iso("2026-11-14T18:00")
SALT = "ab" * 32
TWO_SOURCES = """
[[subjects]]
name = "暖芽"
[sources.inbox]
uses = "files"
targets = ["inbox"]
[sources.second]
uses = "files"
targets = ["second"]
"""
FEEDS = """
[sources.news]
uses = "feed"
base_url = "https://News.example:8443/a"
targets = ["/rss", "https://other.example/feed.xml"]
"""


@pytest.fixture
def machines(open_place: Any, new_postgres: Callable[[], str]) -> Callable[..., Wiring]:
    """Machines with a Desk on PostgreSQL in common and the same salt."""
    url = new_postgres()

    def build(name: str, **environ: str) -> Wiring:
        wiring: Wiring = open_place(
            name, SimulatedClock(NOW), **({"TINGFENG_DESK_URL": url, "TINGFENG_SALT": SALT} | environ)
        )
        return wiring

    return build


def test_machines_with_one_salt_agree_on_authors(machines: Callable[..., Wiring]) -> None:
    keys = {machines(name).hash_author("forum")("u1") for name in ("east", "west")}
    assert len(keys) == 1


def test_a_machine_with_a_salt_of_its_own_is_refused_in_words(machines: Callable[..., Wiring]) -> None:
    machines("east", TINGFENG_SALT="").hash_author("forum")
    with pytest.raises(SettingsError, match="TINGFENG_SALT_FILE"):
        machines("west", TINGFENG_SALT="").hash_author("forum")


def test_the_salt_of_the_first_machine_can_be_handed_on(machines: Callable[..., Wiring]) -> None:
    first = machines("east", TINGFENG_SALT="")
    key = first.hash_author("forum")("u1")
    handed = (first.home / "salt").read_bytes().hex()
    assert machines("west", TINGFENG_SALT=handed).hash_author("forum")("u1") == key


def test_a_salt_may_stand_in_a_file_and_must_be_long(open_place: Any, place: Path) -> None:
    (place / "salt.txt").write_text("短", "utf-8")
    with pytest.raises(SettingsError, match="盐太短"):
        open_place(TINGFENG_SALT_FILE=str(place / "salt.txt")).hash_author("forum")


def test_a_lock_reaches_across_machines(machines: Callable[..., Wiring]) -> None:
    east, west = machines("east"), machines("west")
    with east.lock("watch"):
        with pytest.raises(BusyError, match="别的机器"):
            watch_counts(west, NOW)
        with west.lock("another"):
            pass
    assert watch_counts(west, NOW).changes == []


def test_waiting_for_a_lock_ends_when_it_is_free(machines: Callable[..., Wiring]) -> None:
    east, west = machines("east"), machines("west")

    class Releasing(SimulatedClock):
        def sleep(self, seconds: float) -> None:
            held.__exit__(None, None, None)

    held = east.lock("host.x")
    held.__enter__()
    west.clock = Releasing(NOW)
    with west.lock("host.x", wait_seconds=3), pytest.raises(BusyError), east.lock("host.x"):
        pass


def test_a_source_that_another_machine_collects_is_left_to_it(machines: Callable[..., Wiring], place: Path) -> None:
    (place / "config" / "tingfeng.toml").write_text(TWO_SOURCES, "utf-8")
    east, west = machines("east"), machines("west")
    (west.home / "second").mkdir(parents=True)
    said: list[str] = []
    with east.lock("collect.inbox"):
        reports = collect_sources(west, progress=said.append)
        with pytest.raises(BusyError, match="别的机器"):
            collect_sources(west, only="inbox")
    assert [one.run.source for one in reports] == ["second"]
    assert any(words.startswith("inbox:正由别的进程采集") for words in said)


def test_the_hosts_of_a_source_take_turns(open_place: Any, place: Path) -> None:
    (place / "config" / "tingfeng.toml").write_text(FEEDS, "utf-8")
    assert hosts_of(open_place().sources[0]) == ["news.example:8443", "other.example"]


def test_a_watch_that_lost_its_lock_and_came_too_late_writes_nothing(
    machines: Callable[..., Wiring], monkeypatch: pytest.MonkeyPatch
) -> None:
    east, west = machines("east"), machines("west")
    commit = west.desk.commit_watch
    fences: list[str] = []

    def overtaken(*args: Any) -> None:
        watch_counts(east, NOW)
        fences.append(east.desk.last_watch())
        commit(*args)

    monkeypatch.setattr(west.desk, "hold", lambda name: nullcontext(True))  # the server restarted: its locks are gone
    monkeypatch.setattr(west.desk, "commit_watch", overtaken)
    with pytest.raises(StoreError, match="先写入"):
        watch_counts(west, NOW)
    assert east.desk.last_watch() == fences[0] != ""


def test_an_address_may_stand_in_a_file(open_place: Any, place: Path) -> None:
    (place / "desk_url").write_text(f"sqlite:///{place / 'elsewhere.db'}\n", "utf-8")
    wiring: Wiring = open_place(TINGFENG_DESK_URL_FILE=str(place / "desk_url"))
    wiring.desk.health()
    assert (place / "elsewhere.db").exists()


@pytest.mark.parametrize(
    ("line", "variable"),
    [
        ('desk_url = "postgresql://u:geheim@h/d"', "TINGFENG_DESK_URL_FILE"),
        ('desk_url = "postgresql://h/d?user=u&password=geheim"', "TINGFENG_DESK_URL_FILE"),
        ('posts_url = "elasticsearch://u:geheim@h:9200/"', "TINGFENG_POSTS_URL_FILE"),
    ],
)
def test_a_password_in_the_configuration_file_is_refused(
    open_place: Any, place: Path, line: str, variable: str
) -> None:
    (place / "config" / "tingfeng.toml").write_text(f"[store]\n{line}\n", "utf-8")
    with pytest.raises(SettingsError, match=variable) as caught:
        open_place()
    assert "geheim" not in caught.value.message


def test_an_address_without_a_password_may_stand_in_the_file(open_place: Any, place: Path) -> None:
    (place / "config" / "tingfeng.toml").write_text('[store]\ndesk_url = "postgresql://u@h:5432/d"\n', "utf-8")
    assert open_place().settings.store.desk_url == "postgresql://u@h:5432/d"
