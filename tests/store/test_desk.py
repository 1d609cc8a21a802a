"""Desk: everything of one watch is written or nothing; claims are disjoint; the schema is what the migrations make."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from store.desk import Desk, WatchCommit, open_desk
from store.desk_tables import metadata
from tingfeng.clock import parse_iso
from tingfeng.errors import StoreError
from tingfeng.labels import AlertState, Level, Outcome
from tingfeng.records import Alert, AlertChange, CaptureRun, Finding, Incident, Notification, Silence

NOW = parse_iso("2026-11-14T18:00")
FINDING = Finding(
    "spike", "暖芽", NOW, Level.RED, 3.2, 40, 4.5, 60, 10800, True, False, ("近 3 小时负面 40 条",), {"mu": 0.4}
)
ALERT = Alert(
    "a1", "spike", "暖芽", AlertState.FIRING, Level.RED, Level.RED, NOW, NOW, "i1", NOW, score=3.2, last_finding=FINDING
)
CHANGE = AlertChange("a1", "open", NOW, Level.RED, AlertState.FIRING, "暖芽:负面突增")
INCIDENT = Incident("i1", "暖芽", "暖芽:负面突增", Level.RED, Level.RED, AlertState.FIRING, NOW, NOW)


def note(id: str = "n1", **changes: object) -> Notification:
    fields: dict[str, object] = {
        "alert_id": "a1",
        "edge": "open",
        "channel": "pr",
        "reason": "first",
        "created_at": NOW,
        "due_at": NOW,
    }
    return Notification(id, **fields | changes)  # type: ignore[arg-type]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'desk.db'}"


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    found = open_desk(url)
    yield found
    found.close()


def test_migrations_make_what_the_tables_say(desk: Desk, url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_watch_comes_back_as_it_went_in(desk: Desk) -> None:
    desk.commit_watch(WatchCommit([ALERT], [CHANGE], [INCIDENT], [note()], (), {("detector", "暖芽"): "{}"}), NOW)
    assert desk.open_alerts() == [ALERT]
    assert desk.changes("a1") == [CHANGE]
    assert desk.incidents()[0].alert_ids == ("a1",)
    assert desk.get_value("detector", "暖芽") == "{}"
    assert [entry.action for entry in desk.audit()] == ["alert.open"]


def test_the_same_watch_twice_tells_once(desk: Desk) -> None:
    commit = WatchCommit([ALERT], [CHANGE], [INCIDENT], [note()])
    desk.commit_watch(commit, NOW)
    desk.finish_notification("n1", "delivered", NOW)
    desk.commit_watch(commit, NOW)
    assert [one.outcome for one in desk.notifications(NOW)] == ["delivered"]
    assert len(desk.changes("a1")) == 1


def test_a_watch_that_fails_writes_nothing(desk: Desk) -> None:
    broken = note(title=object())  # a value no database takes
    with pytest.raises(StoreError):
        desk.commit_watch(WatchCommit([ALERT], [CHANGE], [INCIDENT], [broken]), NOW)
    assert desk.open_alerts() == []
    assert desk.audit() == []


def test_dropped_pending_alerts_go(desk: Desk) -> None:
    desk.commit_watch(WatchCommit([ALERT]), NOW)
    desk.commit_watch(WatchCommit(dropped=["a1"]), NOW)
    assert desk.alert("a1") is None


def test_claims_are_disjoint_and_leased(desk: Desk) -> None:
    desk.commit_watch(WatchCommit(notifications=[note(f"n{n}") for n in range(4)]), NOW)
    first, second = desk.claim_notifications("a", NOW, 2), desk.claim_notifications("b", NOW, 9)
    assert {one.id for one in first} & {one.id for one in second} == set()
    assert len(first) + len(second) == 4
    assert desk.claim_notifications("c", NOW, 9) == []
    assert len(desk.claim_notifications("c", NOW + timedelta(seconds=121), 9)) == 4


def test_retry_waits_for_its_time(desk: Desk) -> None:
    desk.commit_watch(WatchCommit(notifications=[note()]), NOW)
    desk.claim_notifications("a", NOW)
    desk.finish_notification("n1", "queued", NOW, due_at=NOW + timedelta(minutes=1))
    assert desk.claim_notifications("a", NOW) == []
    again = desk.claim_notifications("a", NOW + timedelta(minutes=1))
    assert [one.attempts for one in again] == [1]


def test_withheld_notifications_are_kept_and_never_claimed(desk: Desk) -> None:
    desk.commit_watch(WatchCommit(notifications=[note(outcome="withheld", reason="silenced")]), NOW)
    assert desk.claim_notifications("a", NOW) == []
    assert desk.notifications(NOW)[0].reason == "silenced"


def test_tokens_are_shared_and_come_back_with_the_minute(desk: Desk) -> None:
    assert [desk.take_token("pr", NOW, 2) for _ in range(3)] == [0, 0, 60]
    assert desk.take_token("pr", NOW + timedelta(minutes=1), 2) == 0


def test_ledger(desk: Desk) -> None:
    def run(id: str, minutes: int, covered: bool) -> CaptureRun:
        at = NOW + timedelta(minutes=minutes)
        return CaptureRun(
            id,
            "heimao",
            "",
            at,
            at,
            Outcome.OK,
            covers_from=NOW if covered else None,
            covers_until=at if covered else None,
        )

    for one in (run("r1", 0, True), run("r2", 15, True), run("r3", 30, False)):
        desk.add_run(one)
    assert [one.id for one in desk.runs(NOW + timedelta(minutes=10))] == ["r2", "r3"]
    assert [one.id for one in desk.last_runs()] == ["r3"]
    assert [one.id for one in desk.last_covered("heimao", "")] == ["r2"]


def test_silences_end(desk: Desk) -> None:
    silence = Silence("s1", "暖芽", "", NOW + timedelta(hours=1), "li", "演练", NOW)
    desk.add_silence(silence)
    assert desk.silences(NOW) == [silence]
    assert desk.silences(NOW + timedelta(hours=2)) == []


def test_acknowledging_is_audited(desk: Desk) -> None:
    desk.commit_watch(WatchCommit([ALERT]), NOW)
    assert desk.acknowledge("a1", "li", NOW)
    assert not desk.acknowledge("no", "li", NOW)
    assert [entry.user for entry in desk.audit()] == ["li"]


def test_an_address_that_is_none() -> None:
    with pytest.raises(StoreError, match="desk_url"):
        open_desk("nonsense://x")


def test_out_of_reach_is_told_without_the_password(tmp_path: Path) -> None:
    (tmp_path / "desk.db").mkdir()
    with pytest.raises(StoreError, match=r"desk\.db"):
        open_desk(f"sqlite:///{tmp_path / 'desk.db'}")
