"""`tingfeng restore`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import click

from flows.console import print_note
from tingfeng.errors import StoreError


@click.command("restore")
@click.argument("backup", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="换掉现有的数据;原来的另存为 ….before-restore-时间。")
def command(backup: Path, force: bool) -> int:
    """从备份恢复帖子库、工作台与作者盐值。BACKUP 是备份的文件夹(取最新一份)或其中的 posts-….db。

    先停掉所有 tingfeng 进程。每个文件先复制、检查(完整性、全文索引、汇总),通过了才换上;旧版本的备份会升级。
    """
    from flows.wiring import open_wiring

    with open_wiring() as wiring, wiring.lock("pass"):
        first = newest_backup(backup)
        stamp = first.stem.removeprefix("posts-")
        now = f"{wiring.clock.now():%Y%m%d-%H%M%S}"
        sources = {"posts": first, "desk": first.with_name(f"desk-{stamp}.db"), "salt": first.with_name(f"salt-{stamp}")}
        files = {kind: place for kind, place in wiring.state_files().items() if kind == "posts" or sources[kind].exists()}
        there = [place for place in files.values() if place.exists()]
        if there and not force:
            raise StoreError("这里已经有数据", where=str(there[0]), hint="确定要换掉它就加 --force;原来的会另存")
        for kind, place in files.items():
            put_back(kind, sources[kind], place, place.with_name(f"{place.name}.before-restore-{now}"))
            print_note(f"已恢复 {place} ← {sources[kind]}")
    return 0


def newest_backup(backup: Path) -> Path:
    """The file of posts that is meant. Raises StoreError."""
    if not backup.is_dir():
        return backup
    found = sorted(backup.glob("posts-*.db"))
    if not found:
        raise StoreError("这个文件夹里没有备份", where=str(backup), hint="备份的文件名是 posts-….db")
    return found[-1]


def put_back(kind: str, source: Path, place: Path, aside: Path) -> None:
    """One file, checked by what it holds."""
    from store.sqlite_backup import check_pages, restore

    checks: dict[str, Callable[[Path], list[str]]] = {"posts": check_posts, "desk": check_pages}
    if kind in checks:
        restore(source, place, aside, checks[kind], force=True)
        return
    if place.exists():
        place.replace(aside)
    shutil.copy2(source, place)


def check_posts(file: Path) -> list[str]:
    """Opens (and so brings up to date) the copy, then looks through it."""
    from store.sqlite import SQLitePostStore

    store = SQLitePostStore(file)
    try:
        return store.find_damage()
    finally:
        store.close()
