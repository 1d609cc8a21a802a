"""History is judged again by another model: on both engines, with people's labels kept, and after being cut off anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.real_elasticsearch import Node
from flows import rejudge
from flows.analyse import analyse_posts
from flows.people import correct_mention
from flows.rejudge import Job, rejudge_posts
from flows.wiring import Wiring
from nlp.gold_baselines import NoModel
from nlp.pipeline import Pipeline
from store.elasticsearch_client import Cluster, read_address
from store.posts import Dim, StoredPost
from tingfeng.clock import SimulatedClock, parse_iso
from tingfeng.labels import PostKind
from tingfeng.query import parse_query
from tingfeng.records import Post

ROOT = Path(__file__).resolve().parents[2]
NOW = parse_iso("2026-11-14T18:00")
TEXTS = (
    "暖芽的水壶", "暖芽用着真舒服,很满意,下次还买", "暖芽垃圾,后悔死了", "暖芽和橙屿,橙屿好用多了", "今天天气不错", "暖芽漏电了,要求退款",
    "橙屿的风扇很安静,家里人都喜欢,推荐", "暖芽的包装一般般吧,没什么感觉",
)  # fmt: skip


@pytest.fixture(params=["sqlite", "elasticsearch"])
def posts_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield ""
        return
    node: Node = request.getfixturevalue("es_node")
    prefix = f"t{uuid.uuid4().hex[:12]}"
    yield f"{node.url}{prefix}"
    cluster = Cluster(read_address(f"{node.url}{prefix}"))
    names = cluster.call("GET", f"/{prefix}-*/_alias")
    cluster.call("DELETE", f"/{','.join(names)}")
    cluster.close()


def make_posts(count: int = 40) -> list[Post]:
    """Several of one instant; every text once more as a copy."""
    rows = [(n, f"{TEXTS[n % len(TEXTS)]},第{n // 2}位顾客在门店留下了这句话") for n in range(count)]
    return [Post("forum", str(n), PostKind.ORIGINAL, text, NOW, published_at=parse_iso(f"2026-11-{1 + n // 5:02d}")) for n, text in rows]


@pytest.fixture
def wiring(open_place: Any, posts_url: str) -> Wiring:
    """Forty posts that the rules alone have judged; the configured model has not seen them yet."""
    found: Wiring = open_place(clock=SimulatedClock(NOW), **({"TINGFENG_POSTS_URL": posts_url} if posts_url else {}))
    found.posts.add_posts(make_posts())
    configured = found.pipeline
    found.__dict__["pipeline"] = Pipeline(found.matcher, NoModel(), found.lexicon)
    analyse_posts(found)
    found.__dict__["pipeline"] = configured
    return found


def everything(wiring: Wiring) -> dict[str, StoredPost]:
    ids = [post.id for post in make_posts()]
    return {one.post.id: one for one in wiring.posts.get_posts(ids)}


def job(wiring: Wiring, query: str = "") -> Job:
    return Job(query, None, None, wiring.pipeline.model)


def expect(wiring: Wiring) -> dict[str, list[Any]]:
    """What the configured model says of each post by itself."""
    judged = [wiring.pipeline.judge([post]).posts[0] for post in make_posts()]
    return {one.post_id: [mention.sentiment for mention in one.mentions] for one in judged}


def sentiments(wiring: Wiring) -> dict[str, list[Any]]:
    return {id: [m.sentiment for m in one.judgement.mentions] if one.judgement else [] for id, one in everything(wiring).items()}


def test_every_post_gets_the_word_of_the_new_model_and_copies_stay_copies(wiring: Wiring) -> None:
    before = everything(wiring)
    report = rejudge_posts(wiring, job(wiring))
    after = everything(wiring)
    assert sentiments(wiring) == expect(wiring)
    assert {m.model for one in after.values() if one.judgement for m in one.judgement.mentions} == {wiring.pipeline.model}
    assert [(a.judgement.is_copy, a.judgement.duplicate_group) for a in after.values() if a.judgement] == [
        (b.judgement.is_copy, b.judgement.duplicate_group) for b in before.values() if b.judgement
    ]  # fmt: skip
    assert (report.counts["posts"], report.counts["mentions"]) == (40, 40)
    assert report.counts["changed"] >= report.counts["sentiment"] > 0


def test_counts_by_hour_and_label_are_those_of_the_mentions(wiring: Wiring) -> None:
    rejudge_posts(wiring, job(wiring))
    mentions = [m for one in everything(wiring).values() if one.judgement for m in one.judgement.mentions]
    for dim, name in ((Dim.SENTIMENT, "sentiment"), (Dim.SEVERITY, "severity")):
        counted = {row.key[0]: row.mentions for row in wiring.posts.count([dim])}
        assert counted == {value: sum(str(getattr(m, name)) == value for m in mentions) for value in counted}
        assert sum(counted.values()) == len(mentions)


def test_a_second_time_changes_nothing(wiring: Wiring) -> None:
    rejudge_posts(wiring, job(wiring))
    report = rejudge_posts(wiring, job(wiring))
    assert (report.counts["posts"], report.counts["changed"], report.resumed) == (40, 0, False)


def test_people_are_right_whatever_the_model_says(wiring: Wiring) -> None:
    post = make_posts()[1]
    correct_mention(wiring, post.id, "暖芽", "li", sentiment="mixed", severity="safety")
    report = rejudge_posts(wiring, job(wiring))
    judgement = everything(wiring)[post.id].judgement
    assert judgement is not None
    assert [(str(m.sentiment), str(m.severity), m.corrected_by) for m in judgement.mentions] == [("mixed", "safety", "li")]
    assert report.counts["corrected"] == 1


def test_only_what_the_query_finds_is_judged_again(wiring: Wiring) -> None:
    report = rejudge_posts(wiring, job(wiring, "subject:橙屿"))
    told = {one.post.id for one in everything(wiring).values() if one.judgement and any(m.model == wiring.pipeline.model for m in one.judgement.mentions)}
    assert told == {hit.post.id for hit in wiring.posts.search(parse_query("subject:橙屿"), limit=99).hits}
    assert report.counts["posts"] == len(told) == 10


def test_posts_that_wait_to_be_judged_are_left_to_analyse(wiring: Wiring) -> None:
    wiring.posts.add_posts([replace(make_posts()[1], native_id="new")])
    assert rejudge_posts(wiring, job(wiring)).counts["posts"] == 40
    assert wiring.posts.health().unjudged == 1


def test_a_text_that_changes_meanwhile_is_judged_by_analyse(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = replace(make_posts()[1], text="暖芽改口了,说是质量太差,退货")
    save = wiring.posts.save_judged

    def change_and_save(*args: Any) -> None:
        wiring.posts.add_posts([changed])
        save(*args)

    monkeypatch.setattr(wiring.posts, "save_judged", change_and_save)
    rejudge_posts(wiring, job(wiring))
    assert [post.id for post in wiring.posts.claim_posts("w", 9, NOW)] == [changed.id]


@pytest.mark.parametrize("saved", [False, True], ids=["before it is written", "after it was written"])
def test_a_job_cut_off_in_a_batch_goes_on_and_counts_it_once(wiring: Wiring, monkeypatch: pytest.MonkeyPatch, saved: bool) -> None:
    monkeypatch.setattr(rejudge, "BATCH", 7)
    save, calls = wiring.posts.save_judged, list[int]()

    def break_off(*args: Any) -> None:
        calls.append(1)
        if len(calls) != 3 or saved:
            save(*args)
        if len(calls) == 3:
            raise KeyboardInterrupt

    whole = count_alone(wiring)
    monkeypatch.setattr(wiring.posts, "save_judged", break_off)
    with pytest.raises(KeyboardInterrupt):
        rejudge_posts(wiring, job(wiring))
    report = rejudge_posts(wiring, job(wiring))
    assert report.resumed
    assert sentiments(wiring) == expect(wiring)
    assert report.to_dict() == whole | {"resumed": True}
    assert len(calls) == 8  # 45 hits are seven batches, one of them twice
    assert not (wiring.home / "rejudge.json").exists()


def count_alone(wiring: Wiring) -> dict[str, object]:
    """What a job that nobody disturbs reports; the store is left as it was."""
    old = [one.judgement for one in everything(wiring).values() if one.judgement]
    report = rejudge_posts(wiring, job(wiring))
    wiring.posts.save_judged(old, NOW)
    return report.to_dict()


def test_another_query_is_another_job(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejudge, "BATCH", 7)
    broken: Callable[..., None] = lambda *args: (_ for _ in ()).throw(KeyboardInterrupt)  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(wiring.posts, "save_judged", broken)
        with pytest.raises(KeyboardInterrupt):
            rejudge_posts(wiring, job(wiring))
    assert not rejudge_posts(wiring, job(wiring, "subject:橙屿")).resumed


@pytest.mark.slow
def test_a_killed_process_goes_on_where_it_was(tingfeng: Any, place: Path) -> None:
    rows = [{"id": str(n), "text": f"{TEXTS[n % len(TEXTS)]},第{n}位", "time": f"2026-10-{1 + n % 30:02d} 10:00"} for n in range(3000)]
    (place / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert tingfeng("import", "rows.jsonl").code == 0
    assert tingfeng("analyse").code == 0
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    child = subprocess.Popen([sys.executable, "-m", "flows.cli", "rejudge"], cwd=place, env=environ, stdout=subprocess.DEVNULL)
    file = place / "var" / "rejudge.json"
    while child.poll() is None and not (file.exists() and json.loads(file.read_text("utf-8"))["cursor"]):
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    report = tingfeng("rejudge", "--json").json
    assert (report["posts"], report["resumed"], report["changed"], report["failed"]) == (3000, True, 0, 0)
    assert tingfeng("doctor", "--json").json
    assert [check["state"] for check in tingfeng("doctor", "--json").json if check["name"] == "帖子库"] == ["ok"]


def test_the_command_says_what_changed_and_refuses_what_it_cannot_read(tingfeng: Any, place: Path) -> None:
    (place / "rows.jsonl").write_text(json.dumps({"id": "1", "text": "暖芽漏水,要求退款", "time": "2026-11-14"}), "utf-8")
    assert tingfeng("import", "rows.jsonl").code == 0
    assert tingfeng("analyse").code == 0
    assert "重判 1 条帖子、1 条提及" in tingfeng("rejudge", "--since", "2026-11-01").out
    assert tingfeng("rejudge", "--query", "subject:橙屿", "--json").json["posts"] == 0
    assert tingfeng("rejudge", "--since", "昨晚").code == 2
    assert tingfeng("rejudge", "--query", "AND").code == 2
