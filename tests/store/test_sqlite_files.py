"""Files of older versions, backups, damage: nothing is lost on the way, and what is wrong is said."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from store.posts import Dim
from store.sqlite import SQLitePostStore
from store.sqlite_backup import back_up, restore
from store.sqlite_migrate import backup_name
from store.sqlite_schema import VERSION
from tingfeng.clock import parse_iso
from tingfeng.errors import StoreError
from tingfeng.query import parse_query
from tingfeng.records import JudgedPost, Post

NOW = parse_iso("2026-11-20T12:00")
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = Path(__file__).resolve().parent / "examples"
OLD = (1, 2, 3)
SLOW_MIGRATION = """
import sys, time
from pathlib import Path
from store import sqlite_migrate
from store.sqlite import SQLitePostStore
from store.sqlite_schema import VERSION
step = sqlite_migrate.STEPS[VERSION]
def slow(db):
    step(db)
    print("half way", flush=True)
    time.sleep(60)
sqlite_migrate.STEPS[VERSION] = slow
SQLitePostStore(Path(sys.argv[1]))
"""
MakePost = Callable[..., Post]
Judge = Callable[..., JudgedPost]


def make_old(file: Path, version: int) -> Path:
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript((EXAMPLES / f"posts-v{version}.sql").read_text("utf-8"))
    return file


@pytest.fixture
def store(tmp_path: Path, post: MakePost, judged: Judge) -> Iterator[SQLitePostStore]:
    """Forty judged posts."""
    found = SQLitePostStore(tmp_path / "posts.db")
    posts = [post(n) for n in range(40)]
    found.add_posts(posts)
    found.save_judged([judged(one, band_keys=(1, 70000)) for one in posts], NOW)
    yield found
    found.close()


@pytest.mark.parametrize("version", OLD)
def test_an_older_file_is_brought_up_to_date_whole(version: int, tmp_path: Path) -> None:
    opened = SQLitePostStore(make_old(tmp_path / "posts.db", version))
    assert (opened.health().posts, opened.health().mentions, opened.health().unjudged) == (6, 5, 1)
    assert opened.search(parse_query("漏水 退款")).total == 2
    assert [hit.copies for hit in opened.search(parse_query("漏水")).hits] == [1, 0]
    assert {row.key[0]: row.mentions for row in opened.count([Dim.SENTIMENT])} == {"negative": 3, "neutral": 1, "positive": 1}
    assert {row.key[0]: row.mentions for row in opened.count([Dim.ACT])} == {"": 1, "churn_intent": 4, "complaint": 4}
    assert len(opened.near_posts([70000], NOW - timedelta(days=1))) == 2
    assert opened.find_damage() == []
    opened.close()


@pytest.mark.parametrize("version", OLD)
def test_a_person_s_label_survives_the_migration(version: int, tmp_path: Path) -> None:
    opened = SQLitePostStore(make_old(tmp_path / "posts.db", version))
    mention = opened.search(parse_query("subject:橙屿")).hits[0].mention
    opened.close()
    assert mention is not None
    assert (mention.sentiment, mention.corrected_by) == ("neutral", "li")


@pytest.mark.parametrize("version", OLD)
def test_the_older_file_is_kept_as_a_backup(version: int, tmp_path: Path) -> None:
    file = make_old(tmp_path / "posts.db", version)
    SQLitePostStore(file).close()
    with closing(sqlite3.connect(backup_name(file, version))) as copy:
        assert copy.execute("PRAGMA user_version").fetchone()[0] == version
        assert copy.execute("SELECT count(*) FROM posts").fetchone()[0] == 6
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("version", OLD)
def test_a_migration_killed_in_the_middle_is_done_by_the_next_start(version: int, tmp_path: Path) -> None:
    file = make_old(tmp_path / "posts.db", version)
    process = subprocess.Popen([sys.executable, "-c", SLOW_MIGRATION, str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "half way\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == version
    opened = SQLitePostStore(file)
    assert opened.health().mentions == 5
    assert opened.find_damage() == []
    opened.close()


def test_two_processes_migrate_at_once(tmp_path: Path) -> None:
    file = make_old(tmp_path / "posts.db", 2)
    code = "import sys; from pathlib import Path; from store.sqlite import SQLitePostStore; SQLitePostStore(Path(sys.argv[1])).close()"
    processes = [subprocess.Popen([sys.executable, "-c", code, str(file)], cwd=ROOT) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == VERSION


def test_an_older_file_is_not_opened_for_reading_only(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="还是第 2 版"):
        SQLitePostStore(make_old(tmp_path / "posts.db", 2), read_only=True)


def test_no_migration_without_room_for_the_backup(tmp_path: Path) -> None:
    file = make_old(tmp_path / "posts.db", 2)
    backup_name(file, 2).with_name("posts.db.v2-backup.part").mkdir()
    with pytest.raises(OSError, match=r"v2-backup\.part"):
        SQLitePostStore(file)
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == 2


def test_a_backup_taken_while_others_write_is_whole(store: SQLitePostStore, tmp_path: Path, post: MakePost) -> None:
    back_up(tmp_path / "posts.db", tmp_path / "copy.db")
    store.add_posts([post(n) for n in range(40, 60)])
    copy = SQLitePostStore(tmp_path / "copy.db")
    assert (copy.health().posts, copy.find_damage()) == (40, [])
    copy.close()


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "posts.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError):
        back_up(tmp_path / "posts.db", tmp_path / "copy.db")
    assert [file.name for file in tmp_path.iterdir()] == ["posts.db"]


def test_restoring_keeps_what_was_there(store: SQLitePostStore, tmp_path: Path, post: MakePost) -> None:
    back_up(tmp_path / "posts.db", tmp_path / "copy.db")
    store.add_posts([post(99)])
    store.close()
    assert restore(tmp_path / "copy.db", tmp_path / "posts.db", tmp_path / "old.db", lambda file: [], force=True)
    for name, posts in (("posts.db", 40), ("old.db", 41)):
        opened = SQLitePostStore(tmp_path / name)
        assert (opened.health().posts, opened.find_damage()) == (posts, [])
        opened.close()


def test_restoring_over_something_needs_force(store: SQLitePostStore, tmp_path: Path) -> None:
    back_up(tmp_path / "posts.db", tmp_path / "copy.db")
    with pytest.raises(StoreError, match="已经有数据库"):
        restore(tmp_path / "copy.db", tmp_path / "posts.db", tmp_path / "old.db", lambda file: [], force=False)


def test_restoring_under_a_running_program_is_refused(store: SQLitePostStore, tmp_path: Path) -> None:
    back_up(tmp_path / "posts.db", tmp_path / "copy.db")
    with pytest.raises(StoreError, match="正被使用"):
        restore(tmp_path / "copy.db", tmp_path / "posts.db", tmp_path / "old.db", lambda file: [], force=True)
    assert store.health().posts == 40


def test_a_damaged_backup_is_refused_and_the_old_file_stays(store: SQLitePostStore, tmp_path: Path) -> None:
    back_up(tmp_path / "posts.db", tmp_path / "copy.db")
    whole = (tmp_path / "copy.db").read_bytes()
    (tmp_path / "copy.db").write_bytes(whole[: len(whole) // 2])
    store.close()
    with pytest.raises(StoreError, match=r"损坏|没有通过检查"):
        restore(tmp_path / "copy.db", tmp_path / "posts.db", tmp_path / "old.db", lambda file: ["x"], force=True)
    opened = SQLitePostStore(tmp_path / "posts.db")
    assert opened.health().posts == 40
    opened.close()


def test_a_damaged_file_can_be_replaced(store: SQLitePostStore, tmp_path: Path) -> None:
    back_up(tmp_path / "posts.db", tmp_path / "copy.db")
    store.close()
    (tmp_path / "posts.db").write_bytes(b"no database" * 1000)
    restore(tmp_path / "copy.db", tmp_path / "posts.db", tmp_path / "old.db", lambda file: [], force=True)
    opened = SQLitePostStore(tmp_path / "posts.db")
    assert opened.health().posts == 40
    opened.close()


DAMAGES = {
    "汇总与提及对不上": "DELETE FROM hours WHERE hour = (SELECT min(hour) FROM hours)",
    "抽查的小时里": "UPDATE hours_by_source SET source = 'other'",
    "全文索引少 40 条": "INSERT INTO search (search) VALUES ('delete-all')",
    "区段": "UPDATE zones SET newest_ms = 0",
}


@pytest.mark.parametrize("words", DAMAGES)
def test_damage_is_named_and_repaired(words: str, store: SQLitePostStore) -> None:
    assert store.find_damage() == []
    store._connection.execute(DAMAGES[words])
    assert words in ";".join(store.find_damage())
    store.repair()
    assert store.find_damage() == []
    assert store.search(parse_query("漏水")).total == 40


def test_an_index_that_lost_its_words_is_noticed(store: SQLitePostStore) -> None:
    store._connection.execute("INSERT INTO search (search) VALUES ('delete-all')")
    store._connection.executemany("INSERT INTO search (rowid, title, body) VALUES (?, '', '空')", [(n,) for n in range(1, 41)])
    assert "40 条搜不到" in ";".join(store.find_damage())


def test_a_broken_page_is_named(store: SQLitePostStore, tmp_path: Path) -> None:
    store.close()
    with (tmp_path / "posts.db").open("r+b") as stream:
        stream.seek(4096 * 3)
        stream.write(b"\xff" * 4096 * 8)
    try:
        opened = SQLitePostStore(tmp_path / "posts.db")
        problems = opened.find_damage()
        opened.close()
    except StoreError as error:
        problems = [error.message]
    assert "损坏" in ";".join(problems)


def test_deleting_gives_space_back_to_the_disk(store: SQLitePostStore, tmp_path: Path, post: MakePost) -> None:
    store.add_posts([post(n, "漏水" * 800, published_at=NOW - timedelta(days=90)) for n in range(100, 700)])
    store.checkpoint()
    before = (tmp_path / "posts.db").stat().st_size
    assert store.delete_posts(before=NOW - timedelta(days=30)) == 600
    store.checkpoint()
    assert (tmp_path / "posts.db").stat().st_size < before * 0.6
    assert store.find_damage() == []
