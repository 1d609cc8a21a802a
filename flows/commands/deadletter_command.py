"""`tingfeng deadletter`."""

from __future__ import annotations

import click

from flows.console import print_json, print_line, print_note, print_table


@click.command("deadletter")
@click.argument("action", type=click.Choice(["list", "retry", "drop"]), default="list")
@click.argument("numbers", type=int, nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(action: str, numbers: tuple[int, ...], as_json: bool) -> int:
    """Elasticsearch 拒收的内容(如字段太长)连同原因留在本机:list 列出,retry 再写一次,drop 丢弃;不写编号就是全部。"""
    from flows.wiring import is_cluster, open_wiring

    with open_wiring() as wiring:
        url = wiring.settings.store.posts_url
        if not is_cluster(url):
            print_note("帖子库是 SQLite,没有被拒收的内容")
            return 0
        store = wiring.open_cluster(url)
        try:
            letters = [letter for letter in store.spool.letters() if not numbers or letter.number in numbers]
            if action == "list":
                rows = [(one.number, one.at, one.kind, one.post_id, one.reason) for one in letters]
                names = ("number", "at", "kind", "post_id", "reason")
                if as_json:
                    print_json([dict(zip(names, row, strict=True)) for row in rows])
                else:
                    print_table("拒收", ("编号", "时间", "哪一步", "帖子", "原因"), rows)
                return 0
            done = store.retry_letters(letters) if action == "retry" else store.spool.drop_letters([one.number for one in letters])
        finally:
            store.close()
    left = len(letters) - done
    if as_json:
        print_json({"done": done, "left": left})
    else:
        print_line(f"{'写进了' if action == 'retry' else '丢弃了'} {done} 条{f',还有 {left} 条仍被拒收' if left else ''}")
    return 1 if left else 0
