"""What is particular to the embedded engine: files, processes, damage."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from store.sqlite import SQLitePostStore
from tingfeng.clock import parse_iso
from tingfeng.errors import StoreError
from tingfeng.records import Post

NOW = parse_iso("2026-11-20T12:00")
ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from pathlib import Path
from datetime import datetime, UTC
from store.sqlite import SQLitePostStore
from tingfeng.labels import PostKind
from tingfeng.records import Post
store = SQLitePostStore(Path(sys.argv[1]))
for batch in range(int(sys.argv[3])):
    posts = [Post(sys.argv[2], f"{batch}-{n}", PostKind.ORIGINAL, f"第{batch}批第{n}条漏水", datetime.now(UTC)) for n in range(20)]
    store.add_posts(posts)
    print(batch, flush=True)
store.close()
"""


def start_writer(file: Path, source: str, batches: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(file), source, str(batches)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    writer = start_writer(tmp_path / "posts.db", "a", 100_000)
    assert writer.stdout
    for line in writer.stdout:
        if int(line) >= 10:
            break
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged = [int(line), *(int(rest) for rest in writer.stdout if rest.strip())][-1] + 1
    writer.stdout.close()
    writer.wait()
    store = SQLitePostStore(tmp_path / "posts.db")
    posts, damage = store.health().posts, store.find_damage()
    store.close()
    assert posts >= acknowledged * 20
    assert posts % 20 == 0
    assert damage == []


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    writers = [start_writer(tmp_path / "posts.db", name, 15) for name in ("a", "b")]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    store = SQLitePostStore(tmp_path / "posts.db")
    assert store.health().posts == 600
    store.close()


def test_threads_share_a_store(tmp_path: Path, post: Callable[..., Post]) -> None:
    store = SQLitePostStore(tmp_path / "posts.db")
    threads = [
        threading.Thread(target=store.add_posts, args=([post(n * 10 + k) for k in range(10)],)) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.health().posts == 40
    store.close()


def test_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path, post: Callable[..., Post]) -> None:
    store = SQLitePostStore(tmp_path / "posts.db")
    store.add_posts([post(1)])
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match="磁盘满了"):
        store.add_posts([post(n, "漏水" * 500) for n in range(2, 60)])
    assert store.health().posts == 1
    store.close()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "posts.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="更新的版本"):
        SQLitePostStore(tmp_path / "posts.db")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "posts.db").write_bytes(b"hello" * 1000)
    with pytest.raises(StoreError, match="不是数据库"):
        SQLitePostStore(tmp_path / "posts.db")


def test_backup_can_be_opened(tmp_path: Path, post: Callable[..., Post]) -> None:
    store = SQLitePostStore(tmp_path / "posts.db")
    store.add_posts([post(1)])
    store.backup(tmp_path / "copy.db")
    store.close()
    copy = SQLitePostStore(tmp_path / "copy.db")
    assert copy.health().posts == 1
    copy.close()


def test_reading_only_changes_nothing(tmp_path: Path, post: Callable[..., Post]) -> None:
    SQLitePostStore(tmp_path / "posts.db").close()
    store = SQLitePostStore(tmp_path / "posts.db", read_only=True)
    with pytest.raises(StoreError, match="只读"):
        store.add_posts([post(1)])
    store.close()
