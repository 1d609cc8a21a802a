"""What people do is done, audited, and told in words; on both engines of the Desk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.collect import Tally, store_file
from flows.commands.correct_command import ACTS
from flows.people import acknowledge, correct_mention, forget_posts, list_corrections, silence
from flows.wiring import Wiring
from store.desk import WatchCommit
from tingfeng.clock import SimulatedClock, parse_iso
from tingfeng.errors import StoreError, UsageError
from tingfeng.labels import Act, AlertState, Level, Severity
from tingfeng.records import Alert, Incident

NOW = parse_iso("2026-11-14T18:00")
ROWS = [
    {"id": f"p{n}", "text": f"暖芽水壶第{n}次漏水,要求退款", "time": "2026-11-14 10:00", "author": f"u{n % 2}"} for n in range(4)
]


@pytest.fixture
def wiring(open_place: Any, place: Path, desk_url: str) -> Wiring:
    """Four judged posts of two authors, a firing alert and its incident."""
    from flows.analyse import analyse_posts

    found: Wiring = open_place(clock=SimulatedClock(NOW), TINGFENG_DESK_URL=desk_url)
    (place / "posts.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    store_file(found, place / "posts.jsonl", Tally(), source="forum")
    analyse_posts(found)
    alert = Alert("a1", "spike", "暖芽", AlertState.FIRING, Level.RED, Level.RED, NOW, NOW, "i1", NOW)
    incident = Incident("i1", "暖芽", "暖芽:负面突增", Level.RED, Level.RED, AlertState.FIRING, NOW, NOW)
    found.desk.commit_watch(WatchCommit([alert], incidents=[incident]), NOW)
    return found


def acts(wiring: Wiring) -> list[tuple[str, str]]:
    return [(one.user, one.action) for one in wiring.desk.audit()][::-1]


def test_a_correction_holds_and_is_audited(wiring: Wiring) -> None:
    hit = wiring.posts.search(limit=1).hits[0]
    correct_mention(wiring, hit.post.id, "暖芽", "li", sentiment="positive")
    again = wiring.posts.search(limit=1).hits[0].mention
    assert again is not None
    assert (str(again.sentiment), again.corrected_by) == ("positive", "li")
    assert acts(wiring) == [("li", "mention.correct")]


def test_a_correction_that_fails_is_audited_as_failed(wiring: Wiring) -> None:
    with pytest.raises(StoreError, match="没有这条提及"):
        correct_mention(wiring, "nope", "暖芽", "li", sentiment="positive")
    assert acts(wiring) == [("li", "mention.correct"), ("li", "mention.correct.failed")]


def test_a_correction_of_nothing_or_of_other_beside_others_is_refused(wiring: Wiring) -> None:
    with pytest.raises(UsageError, match="--sentiment"):
        correct_mention(wiring, "nope", "暖芽", "li")
    with pytest.raises(UsageError, match="other"):
        correct_mention(wiring, "nope", "暖芽", "li", acts=("other", "praise"))
    assert acts(wiring) == []


def test_corrections_that_stand_are_found_with_their_posts(wiring: Wiring) -> None:
    first, second, third = (hit.post for hit in wiring.posts.search(limit=3).hits)
    correct_mention(wiring, first.id, "暖芽", "li", sentiment="positive")
    correct_mention(wiring, second.id, "暖芽", "wang", severity="money")
    correct_mention(wiring, first.id, "暖芽", "li", sentiment="neutral")
    assert third.id not in {post.id for post, _ in list_corrections(wiring)}
    assert [(post.id, str(mention.sentiment), mention.corrected) for post, mention in list_corrections(wiring)] == [
        (first.id, "neutral", ("sentiment",)), (second.id, "negative", ("severity",)),
    ]  # fmt: skip
    forget_posts(wiring, "li", author_key=first.author.key)
    assert first.id not in {post.id for post, _ in list_corrections(wiring)}


def test_an_author_is_forgotten_everywhere_and_the_audit_names_no_account(wiring: Wiring) -> None:
    key = wiring.hash_author("forum")("u1")
    assert forget_posts(wiring, "li", author_key=key, source="forum") == 2
    assert {hit.post.author.key for hit in wiring.posts.search(limit=9).hits} == {wiring.hash_author("forum")("u0")}
    assert acts(wiring) == [("li", "posts.delete"), ("li", "posts.deleted")]
    assert "u1" not in "".join(one.target + one.detail for one in wiring.desk.audit())


def test_forgetting_nothing_in_particular_is_refused(wiring: Wiring) -> None:
    with pytest.raises(UsageError, match="--author"):
        forget_posts(wiring, "li")
    assert acts(wiring) == []


def test_an_incident_is_acknowledged_with_all_its_alerts(wiring: Wiring) -> None:
    assert acknowledge(wiring, "i1", "li") == ["a1"]
    assert acknowledge(wiring, "a1", "li") == ["a1"]
    assert wiring.desk.open_alerts()[0].acknowledged_by == "li"
    assert acts(wiring) == [("li", "alert.acknowledge")]


def test_an_unknown_incident_is_told(wiring: Wiring) -> None:
    with pytest.raises(UsageError, match="没有这个事件"):
        acknowledge(wiring, "zzz", "li")


def test_a_silence_stands_and_is_audited(wiring: Wiring) -> None:
    made = silence(wiring, "li", subject="暖芽", rule="", hours=2, reason="演练")
    assert wiring.desk.silences(NOW) == [made]
    assert acts(wiring) == [("li", "silence.add")]


def test_the_commands_do_the_same(tingfeng: Any, place: Path) -> None:
    (place / "posts.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    assert tingfeng("import", "posts.jsonl", "--source", "forum").code == 0
    assert tingfeng("analyse").code == 0
    post = tingfeng("search", "暖芽", "--json").json["hits"][0]["id"]
    changed = tingfeng("correct", post, "--subject", "暖芽", "--sentiment", "neutral", "--user", "li", "--json")
    assert changed.json["corrected_by"] == "li"
    again = tingfeng("correct", post, "--subject", "暖芽", "--act", "question", "--severity", "none", "--user", "li", "--json").json
    assert (again["sentiment"], again["acts"], again["severity"], again["corrected"]) == ("neutral", ["question"], "none", ["sentiment", "acts", "severity"])
    assert tingfeng("correct", post, "--subject", "暖芽").code == 2
    assert tingfeng("forget", "--account", "u1", "--source", "forum", "--yes", "--json").json == {"deleted": 2}
    standing = tingfeng("silence", "--subject", "暖芽", "--json").json
    assert tingfeng("silence", "--end", standing[0]["id"], "--json").json == []
    assert tingfeng("ack", "nope").code == 2
    actions = [one["action"] for one in tingfeng("audit", "--json").json]
    assert actions == ["silence.end", "silence.add", "posts.deleted", "posts.delete", "mention.correct", "mention.correct"]


def test_every_act_and_severity_can_be_set_by_hand(tingfeng: Any) -> None:
    shown = tingfeng("correct", "--help").out
    assert set(ACTS) == set(map(str, Act))
    assert all(str(severity) in shown for severity in Severity)


def test_forgetting_asks_first(tingfeng: Any) -> None:
    result = tingfeng("forget", "--source", "forum", stdin="n\n")
    assert result.code == 130
    assert tingfeng("audit", "--json").json == []


def test_a_desk_is_adopted_by_the_configured_one(tingfeng: Any, place: Path) -> None:
    assert tingfeng("silence", "--subject", "暖芽").code == 0
    other = f"sqlite:///{place / 'new.db'}"
    moved = tingfeng("adopt", "sqlite:///var/desk.db", "--json", TINGFENG_DESK_URL=other)
    assert (moved.code, moved.json["silences"]) == (0, 1)
    assert len(tingfeng("silence", "--json", TINGFENG_DESK_URL=other).json) == 1
    assert tingfeng("adopt", f"sqlite:///{place / 'var' / 'desk.db'}").code == 2
