"""What has had its time goes, a whole day at a time, and the audit says so once."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.analyse import analyse_posts
from flows.collect import Tally, store_file
from flows.passes import run_pass
from flows.retention import drop_expired
from flows.wiring import Wiring
from tingfeng.clock import SimulatedClock, parse_iso

NOW = parse_iso("2026-11-14T18:00")
KEEP = '[store]\nkeep_days = 10\n[[subjects]]\nname = "暖芽"\n'
TIMES = ("2026-11-03 23:59", "2026-11-04 00:00", "2026-11-14 10:00")


@pytest.fixture
def filled(open_place: Any, place: Path) -> Any:
    """Opens the place with posts of three times."""

    def opened(config: str) -> Wiring:
        (place / "config" / "tingfeng.toml").write_text(config, "utf-8")
        found: Wiring = open_place(clock=SimulatedClock(NOW))
        rows = [{"id": str(n), "text": f"暖芽水壶第{n}次漏水,要求退款", "time": at} for n, at in enumerate(TIMES)]
        (place / "posts.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
        store_file(found, place / "posts.jsonl", Tally(), source="forum")
        analyse_posts(found)
        return found

    return opened


def test_days_that_have_passed_are_deleted_and_audited_once(filled: Any) -> None:
    wiring = filled(KEEP)
    assert (drop_expired(wiring), drop_expired(wiring)) == (1, 0)
    assert [hit.post.native_id for hit in wiring.posts.search().hits] == ["2", "1"]
    assert [(one.user, one.action) for one in wiring.desk.audit()] == [("retention", "posts.deleted"), ("retention", "posts.delete")]


def test_everything_is_kept_when_nothing_is_said(filled: Any) -> None:
    wiring = filled(KEEP.replace("keep_days = 10", ""))
    wiring.clock.advance(timedelta(days=4000))
    assert drop_expired(wiring) == 0


def test_a_pass_ends_with_it(filled: Any) -> None:
    report = run_pass(filled(KEEP))
    assert (report.expired, report.to_dict()["expired"]) == (1, 1)
