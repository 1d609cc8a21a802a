"""Backup, restore and repair as a person runs them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def filled(tingfeng: Run, place: Path) -> Run:
    """Two posts imported and judged, then backed up."""
    rows = [{"id": str(n), "text": f"暖芽水壶漏水,要求退款{n}", "time": f"2026-11-1{n} 10:00"} for n in (1, 2)]
    (place / "posts.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    for command in (("import", "posts.jsonl"), ("analyse",), ("watch",), ("backup", "copies")):
        assert tingfeng(*command).code == 0
    return tingfeng


def change(place: Path, sql: str) -> None:
    with closing(sqlite3.connect(place / "var" / "posts.db")) as db:
        db.execute(sql)
        db.commit()


def test_a_backup_holds_posts_desk_and_salt(filled: Run, place: Path) -> None:
    names = sorted(path.name.split("-")[0] for path in (place / "copies").iterdir())
    assert names == ["desk", "posts", "salt"]


def test_restoring_brings_the_backup_back_and_keeps_the_rest(filled: Run, place: Path) -> None:
    change(place, "DELETE FROM mentions")
    result = filled("restore", "copies", "--force")
    assert result.code == 0, result.err
    assert filled("search", "漏水", "--json").json["total"] == 2
    assert len(list((place / "var").glob("posts.db.before-restore-*"))) == 1
    assert filled("doctor").code == 0


def test_restoring_without_force_touches_nothing(filled: Run, place: Path) -> None:
    before = (place / "var" / "posts.db").read_bytes()
    result = filled("restore", "copies")
    assert (result.code, "--force" in result.err) == (3, True)
    assert (place / "var" / "posts.db").read_bytes() == before


def test_restoring_into_an_empty_place(filled: Run, place: Path) -> None:
    result = filled("restore", "copies", TINGFENG_HOME=str(place / "other"))
    assert result.code == 0, result.err
    assert filled("search", "漏水", "--json", TINGFENG_HOME=str(place / "other")).json["total"] == 2
    assert (place / "other" / "salt").read_bytes() == (place / "var" / "salt").read_bytes()


def test_restoring_what_is_no_backup(filled: Run, place: Path) -> None:
    (place / "copies2").mkdir()
    assert "没有备份" in filled("restore", "copies2").err
    assert "没有这个备份" in filled("restore", "posts-1.db", "--force").err


def test_doctor_names_a_wrong_roll_up_and_repairs_it(filled: Run, place: Path) -> None:
    change(place, "DELETE FROM hours")
    found = {check["name"]: check for check in filled("doctor", "--json").json}
    assert (found["帖子库"]["state"], "--repair" in found["帖子库"]["advice"]) == ("fail", True)
    assert filled("doctor", "--repair").code == 0
