"""Copies of database files: online backup, and putting one back. Knows files, not what is in them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from store.sqlite_schema import explain_sqlite
from tingfeng.errors import StoreError

PAGES = 4096
SIDES = ("-wal", "-shm", "-journal")


def back_up(source: Path, target: Path) -> None:
    """An online copy while others read and write; complete or not there at all. Raises StoreError."""
    part = target.with_name(f"{target.name}.part")
    remove_all(part)
    try:
        with explain_sqlite(target), closing(sqlite3.connect(source, timeout=30)) as original, closing(sqlite3.connect(part)) as copy:
            original.backup(copy, pages=PAGES)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        keep_on_disk(part)
        part.replace(target)
    finally:
        remove_all(part)


def stage(backup: Path, target: Path, check: Callable[[Path], list[str]]) -> Path:
    """A checked copy of `backup` beside `target`. `check` opens the copy and names what is wrong with it.

    Raises StoreError: no backup, damaged backup; then nothing is left behind.
    """
    if not backup.is_file():
        raise StoreError("没有这个备份", where=str(backup), hint="请给出 tingfeng backup 写下的文件")
    part = target.with_name(f"{target.name}.restoring")
    remove_all(part)
    target.parent.mkdir(parents=True, exist_ok=True)
    where = f"{backup.absolute().as_uri()}?mode=ro"
    try:
        with explain_sqlite(backup), closing(sqlite3.connect(where, uri=True)) as original, closing(sqlite3.connect(part)) as copy:
            original.backup(copy, pages=PAGES)
        if problems := check(part):
            raise StoreError(f"备份没有通过检查:{';'.join(problems)}", where=str(backup), hint="请换一个备份")
    except StoreError:
        remove_all(part)
        raise
    close_log(part)
    keep_on_disk(part)
    return part


def swap(part: Path, target: Path, aside: Path) -> None:
    """The staged copy takes the place of `target`, what was there is kept as `aside`; at every moment one of them stands in the place.

    Raises StoreError when somebody has `target` open: ask close_log() before the first of several.
    """
    if target.exists():
        close_log(target)
        os.link(target, aside)
    part.replace(target)


def restore(backup: Path, target: Path, aside: Path, check: Callable[[Path], list[str]], force: bool) -> bool:
    """Both steps for one file; returns whether something was there. Raises StoreError when it was and not `force`."""
    there = target.exists()
    if there and not force:
        raise StoreError("这里已经有数据库", where=str(target), hint="确定要换掉它就加 --force;原来的会另存")
    swap(stage(backup, target, check), target, aside)
    return there


def close_log(file: Path) -> None:
    """Takes the write-ahead log into the file. A file that is none is left as it is, its log moved out of the way of the next."""
    try:
        with closing(sqlite3.connect(file, timeout=1, isolation_level=None)) as db:
            mode = db.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
        if mode != "delete":
            raise StoreError("数据库正被使用", where=str(file), hint="请先停掉 tingfeng(up、serve、run),再恢复")
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"数据库正被使用({error})", where=str(file), hint="请先停掉 tingfeng(up、serve、run),再恢复"
        ) from error
    except sqlite3.DatabaseError:  # damaged: the reason to restore
        for side in SIDES:
            beside = file.with_name(file.name + side)
            if beside.exists():
                beside.replace(file.with_name(f"{file.name}{side}.damaged"))


def remove_all(file: Path) -> None:
    """A database file with what SQLite keeps beside it."""
    for side in ("", *SIDES):
        file.with_name(file.name + side).unlink(missing_ok=True)


def keep_on_disk(file: Path) -> None:
    """fsync."""
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())


def check_pages(file: Path) -> list[str]:
    """For databases of which we know no more."""
    with explain_sqlite(file), closing(sqlite3.connect(file)) as db:
        found = [row[0] for row in db.execute("PRAGMA integrity_check(5)")]
    return [] if found == ["ok"] else [f"数据页有损坏:{';'.join(found)[:300]}"]
