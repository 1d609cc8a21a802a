"""`tingfeng backup`."""

from __future__ import annotations

from pathlib import Path

import click

from flows.console import print_note


@click.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> int:
    """在线备份帖子库(采集与网页可以照常运行)。恢复:停掉 tingfeng,把文件放回状态目录。"""
    from flows.wiring import open_wiring
    from store.sqlite import SQLitePostStore

    with open_wiring() as wiring:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"posts-{wiring.clock.now():%Y%m%d-%H%M%S}.db"
        assert isinstance(wiring.posts, SQLitePostStore)
        wiring.posts.backup(target)
    print_note(f"已备份 → {target}")
    return 0
