"""A Desk moves from either engine to either, whole; what is in the way is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store.desk import Desk, WatchCommit, open_desk
from store.desk_copy import copy_desk, pages
from store.desk_tables import metadata
from tingfeng.clock import parse_iso
from tingfeng.errors import StoreError
from tingfeng.labels import AlertState, Level, Outcome
from tingfeng.records import Alert, AlertChange, AuditEntry, CaptureRun, Incident, Notification, Silence

NOW = parse_iso("2026-11-14T18:00")
OpenOther = Callable[[], Desk]


def fill(desk: Desk) -> None:
    alert = Alert("a1", "spike", "暖芽", AlertState.FIRING, Level.RED, Level.RED, NOW, NOW, "i1", NOW)
    change = AlertChange("a1", "open", NOW, Level.RED, AlertState.FIRING, "暖芽:负面突增")
    incident = Incident("i1", "暖芽", "暖芽", Level.RED, Level.RED, AlertState.FIRING, NOW, NOW)
    notes = [Notification(f"n{n:04}", "a1", "open", "main", "first", NOW, NOW) for n in range(1200)]
    desk.commit_watch(WatchCommit([alert], [change], [incident], notes, kept={("detector", "暖芽"): "{}"}, token="t1"), NOW)
    desk.add_silence(Silence("s1", "暖芽", "", NOW + timedelta(hours=1), "li", "", NOW))
    desk.add_run(CaptureRun("r1", "heimao", "", NOW, NOW, Outcome.OK))
    for minute in range(3):
        desk.take_token("main", NOW + timedelta(minutes=minute))


def everything(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    return {table.name: [row for page in pages(desk, table) for row in page] for table in metadata.sorted_tables}


@pytest.fixture
def source(desk_url: str) -> Iterator[Desk]:
    desk = open_desk(desk_url)
    fill(desk)
    yield desk
    desk.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """An empty one, on each engine."""
    new: Callable[[], str] = (
        (lambda: f"sqlite:///{tmp_path / 'new.db'}") if request.param == "sqlite" else request.getfixturevalue("new_postgres")
    )
    desk = open_desk(new())
    yield desk
    desk.close()


def test_everything_arrives_and_work_goes_on(source: Desk, target: Desk) -> None:
    copied = copy_desk(source, target)
    assert everything(target) == everything(source)
    assert (copied["notifications"], copied["audit"]) == (1200, 2)
    target.note(AuditEntry(NOW, "li", "mention.correct", "m1"))
    assert [one.action for one in target.audit()] == ["mention.correct", "silence.add", "alert.open"]


def test_a_copy_that_was_interrupted_is_taken_up_again(source: Desk, target: Desk) -> None:
    def interrupt(table: str, rows: int) -> None:
        if table == "notifications":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_desk(source, target, interrupt)
    copy_desk(source, target)
    assert everything(target) == everything(source)


def test_something_else_in_the_way_is_refused_and_left(source: Desk, target: Desk) -> None:
    target.set_value("detector", "暖芽", "other", NOW)
    with pytest.raises(StoreError, match=r"kept 里已有不同的内容.*空的库"):
        copy_desk(source, target)
    assert target.get_value("detector", "暖芽") == "other"


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="没有这个文件"):
        open_desk(f"sqlite:///{tmp_path / 'no.db'}", must_exist=True)
    assert not (tmp_path / "no.db").exists()
