"""Desk on both engines: everything of one watch is written or nothing, claims are disjoint, people's acts are audited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from store.desk import Desk, WatchCommit, open_desk
from tingfeng.clock import parse_iso
from tingfeng.errors import StoreError
from tingfeng.labels import AlertState, Level, Outcome
from tingfeng.records import Alert, AlertChange, AuditEntry, CaptureRun, Finding, Incident, Notification, Silence

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
def desk(desk_url: str) -> Iterator[Desk]:
    found = open_desk(desk_url)
    yield found
    found.close()


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
    assert [entry.action for entry in desk.audit()] == ["alert.open"]


def test_a_watch_computed_from_an_older_state_is_refused_whole(desk: Desk) -> None:
    desk.commit_watch(WatchCommit(token="t1"), NOW)
    late = WatchCommit([ALERT], [CHANGE], [INCIDENT], [note()], token="t2", after="")
    with pytest.raises(StoreError, match="先写入"):
        desk.commit_watch(late, NOW)
    assert (desk.open_alerts(), desk.notifications(NOW), desk.last_watch()) == ([], [], "t1")
    desk.commit_watch(replace(late, after=desk.last_watch()), NOW)
    assert (desk.open_alerts(), desk.last_watch()) == ([ALERT], "t2")


def test_a_watch_whose_answer_was_lost_may_be_committed_again(desk: Desk) -> None:
    commit = WatchCommit([ALERT], [CHANGE], [INCIDENT], [note()], token="t1")
    desk.commit_watch(commit, NOW)
    desk.commit_watch(commit, NOW)
    assert (len(desk.audit()), desk.last_watch()) == (1, "t1")


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


def test_only_the_holder_of_a_lease_may_begin_and_finish(desk: Desk) -> None:
    desk.commit_watch(WatchCommit(notifications=[note()]), NOW)
    desk.claim_notifications("a", NOW)
    late = NOW + timedelta(seconds=130)
    assert desk.claim_notifications("b", late)
    assert not desk.begin_attempt("n1", "a", late)
    assert desk.begin_attempt("n1", "b", late)
    desk.finish_notification("n1", "failed", late, worker="a")
    assert desk.notifications(NOW)[0].outcome == "queued"
    desk.finish_notification("n1", "delivered", late, worker="b")
    assert [(one.outcome, one.attempts) for one in desk.notifications(NOW)] == [("delivered", 1)]


def test_an_attempt_is_not_begun_after_its_lease(desk: Desk) -> None:
    desk.commit_watch(WatchCommit(notifications=[note()]), NOW)
    desk.claim_notifications("a", NOW, lease_seconds=60)
    assert not desk.begin_attempt("n1", "a", NOW + timedelta(seconds=60))


def test_beginning_twice_is_refused_but_the_same_call_again_is_not(desk: Desk) -> None:
    desk.commit_watch(WatchCommit(notifications=[note()]), NOW)
    desk.claim_notifications("a", NOW)
    assert desk.begin_attempt("n1", "a", NOW)
    assert desk.begin_attempt("n1", "a", NOW)
    assert not desk.begin_attempt("n1", "a", NOW + timedelta(seconds=1))


def test_an_attempt_that_was_begun_and_left_is_never_claimed_as_new(desk: Desk) -> None:
    desk.commit_watch(WatchCommit(notifications=[note("n1"), note("n2")]), NOW)
    desk.claim_notifications("a", NOW)
    desk.begin_attempt("n1", "a", NOW)
    assert desk.claim_interrupted("b", NOW) == []
    late = NOW + timedelta(minutes=3)
    assert [one.id for one in desk.claim_notifications("b", late)] == ["n2"]
    assert [one.id for one in desk.claim_interrupted("b", late)] == ["n1"]
    assert desk.claim_interrupted("c", late) == []


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


def test_a_finished_notification_stays_as_it_is(desk: Desk) -> None:
    desk.commit_watch(WatchCommit(notifications=[note()]), NOW)
    desk.finish_notification("n1", "delivered", NOW)
    desk.finish_notification("n1", "failed", NOW)
    assert [(one.outcome, one.attempts) for one in desk.notifications(NOW)] == [("delivered", 1)]


def test_a_delivery_that_is_told_late_outweighs_the_guess_that_it_failed(desk: Desk) -> None:
    desk.commit_watch(WatchCommit(notifications=[note()]), NOW)
    desk.claim_notifications("slow", NOW)
    desk.begin_attempt("n1", "slow", NOW)
    late = NOW + timedelta(minutes=3)
    desk.claim_interrupted("other", late)
    assert desk.finish_notification("n1", "failed", late, worker="other")
    assert desk.finish_notification("n1", "delivered", late, worker="slow")
    assert not desk.finish_notification("n1", "queued", late, worker="other")
    assert desk.notifications(NOW)[0].outcome == "delivered"


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
    assert desk.acknowledge("a1", "li", NOW)
    assert [entry.user for entry in desk.audit()] == ["li"]


def test_a_watch_that_read_before_an_acknowledgement_does_not_undo_it(desk: Desk) -> None:
    desk.commit_watch(WatchCommit([ALERT]), NOW)
    desk.acknowledge("a1", "li", NOW)
    desk.commit_watch(WatchCommit([replace(ALERT, score=9.0)]), NOW)
    assert [(one.score, one.acknowledged_by) for one in desk.open_alerts()] == [(9.0, "li")]
    desk.commit_watch(WatchCommit([ALERT], [replace(CHANGE, edge="reopen")]), NOW)
    assert desk.open_alerts()[0].acknowledged_by == ""


def test_silences_are_audited_once_each_way(desk: Desk) -> None:
    silence = Silence("s1", "暖芽", "", NOW + timedelta(hours=1), "li", "演练", NOW)
    desk.add_silence(silence)
    desk.add_silence(silence)
    assert desk.end_silence("s1", "wang", NOW)
    assert not desk.end_silence("s1", "wang", NOW)
    assert desk.silences(NOW) == []
    assert [(one.user, one.action) for one in desk.audit()] == [("wang", "silence.end"), ("li", "silence.add")]


def test_the_audit_takes_an_entry_once_and_finds_it_by_target(desk: Desk) -> None:
    entry = AuditEntry(NOW, "li", "mention.correct", "m1", "negative → neutral")
    for one in (entry, entry, replace(entry, target="m2")):
        desk.note(one)
    assert desk.audit(target="m1") == [entry]
    assert len(desk.audit()) == 2


def test_hostile_text_is_kept_as_text_that_both_engines_take(desk: Desk) -> None:
    text = "空\x00字符、半个\ud800字、'; DROP TABLE kept; --、𠮷、\u202e"
    desk.set_value("robots", "https://x.example", text, NOW)
    assert desk.get_value("robots", "https://x.example") == "空\ufffd字符、半个?字、'; DROP TABLE kept; --、𠮷、\u202e"


def test_a_very_long_name_is_kept_and_told_from_its_neighbour(desk: Desk) -> None:
    names = [f"https://x.example/{'长' * 4000}{n}" for n in range(2)]
    for name in names:
        desk.set_value("validator", name, name[-1], NOW)
    assert [desk.get_value("validator", name) for name in names] == ["0", "1"]


def test_the_first_of_several_machines_decides_a_value(desk: Desk) -> None:
    assert desk.agree_value("salt", "fingerprint", "a", NOW) == "a"
    assert desk.agree_value("salt", "fingerprint", "b", NOW) == "a"


def test_lists_are_sorted_by_code_point_whatever_the_server_speaks(desk: Desk) -> None:
    names = ["中", "z", "a", "B", "-b", "阿"]
    for name in names:
        desk.add_run(CaptureRun(name, name, "", NOW, NOW, Outcome.OK))
    assert [one.source for one in desk.last_runs()] == sorted(names)


def test_more_rows_than_one_statement_takes(desk: Desk) -> None:
    many = [note(f"n{n:04}") for n in range(2500)]
    desk.commit_watch(WatchCommit(notifications=[*many, many[0]]), NOW)
    assert len(desk.notifications(NOW)) == 2500


def test_health_names_the_server(desk: Desk) -> None:
    health = desk.health()
    assert health["server"].split()[0].lower() == health["engine"]
    assert health["notifications"] == "0"
