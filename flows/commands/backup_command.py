"""`tingfeng backup`."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from flows.console import print_note


@click.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> int:
    """在线备份:帖子库、工作台与作者盐值(采集与网页可以照常运行)。恢复用 tingfeng restore。

    \b
    文件名带同一个时间:posts-….db、desk-….db、salt-…。盐值是秘密:没有它,恢复后同一作者对不上;备份要像密码一样保管。
    """
    from flows.wiring import open_wiring
    from store.sqlite_backup import back_up

    with open_wiring() as wiring:
        folder.mkdir(parents=True, exist_ok=True)
        stamp = f"{wiring.clock.now():%Y%m%d-%H%M%S}"
        files = wiring.state_files()
        for kind, place in files.items():
            if not place.exists():
                print_note(f"还没有 {place},跳过")
            elif kind == "salt":
                shutil.copy2(place, folder / f"salt-{stamp}")
                print_note(f"已备份 → {folder / f'salt-{stamp}'}")
            else:
                back_up(place, folder / f"{kind}-{stamp}.db")
                print_note(f"已备份 → {folder / f'{kind}-{stamp}.db'}")
        for kind in {"posts", "desk"} - set(files):
            print_note(f"{kind} 不在本机文件里,请用它自己的备份办法(pg_dump、Elasticsearch 快照)")
    return 0
